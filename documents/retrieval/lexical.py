"""Full-text search that knows which words matter: PostgreSQL's index, ranked with inverse document frequency.

PostgreSQL's own ranking counts `model` as much as `curvature`. Here each word of the question is weighed by how
rare it is, taken from the planner's statistics, which ANALYZE keeps for the words of `search` anyway; and only
the rarer words choose candidates, so that a question full of common ones costs no more than any other.
"""

import math
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection

from documents.ingest.languages import FALLBACK
from documents.retrieval.places import COLUMNS, DEPTH, RankedPlace, read_places
from documents.retrieval.scope import Scope

# How many chunks are ranked, about: a word expected to add more than that is left to ranking alone. Ranking
# costs 1.5 µs a chunk and word. On ARAGOG's 2,144 chunks 500 find what all do, at 11 instead of 20 ms a search;
# 300 lose .03 of right first.
CANDIDATES_MAX = 600
# The weight of a word that stands in every third chunk.
WEIGHT_MIN = 1.1
# A question pasted with a page of text has its first words looked up.
TERMS_MAX = 32
# In short texts a word says more of a short one than of a long one: in one of 65 different words, what it says. nDCG@10
# without regard to length and with it: FAQ answers .724 and .731, packages .801 and .806. The chunks of long documents
# are all of a length.
_LENGTH_SHARE = "ln(1 + 65) / ln(1 + length(c.search))"
# What a question is taken to be in where no text of the scope says.
_LIKELY_LANGUAGE = "english"
# ANALYZE runs after a tenth of the table changed; a minute more is nothing.
STATISTICS_SECONDS = 60


class _Statistics:
    """How common words are: share of all chunks, for the commonest few thousand; kept for a minute."""

    def __init__(self) -> None:
        self.read_at = -math.inf
        self.shares: Mapping[str, float] = {}
        self.rare_share = 1.0

    def refresh(self) -> None:
        if time.monotonic() - self.read_at < STATISTICS_SECONDS:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT most_common_elems::text::text[], most_common_elem_freqs FROM pg_stats"
                " WHERE schemaname = ANY (current_schemas(false)) AND tablename = 'documents_chunk'"
                " AND attname = 'search'"
            )
            row = cursor.fetchone()
        words, shares = row if row and row[0] else ((), ())
        self.shares = dict(zip(words, shares, strict=False))
        # A word that is not listed is rarer than all that are.
        self.rare_share = min(self.shares.values(), default=0.01) / 2
        self.read_at = time.monotonic()

    def share(self, word: str) -> float:
        return self.shares.get(word, self.rare_share)


_statistics = _Statistics()


def rank_by_words(query: str, scope: Scope) -> list[RankedPlace]:
    """Permitted chunks with any of the question's words, those with the rarest and most of them first."""
    selects: list[str] = []
    values: list[Any] = []
    length_share = _LENGTH_SHARE if scope.is_short else "1"
    for language, terms in split_terms(query, scope.languages).items():
        weights = weigh_terms(terms)
        # One word at a time, ts_rank says how often a chunk has it, up to 1 for many; D is what `search` is made of.
        rank = " + ".join(["%s * ts_rank('{1,1,1,1}', c.search, %s::tsquery)"] * len(weights))
        selects.append(
            f"(SELECT {COLUMNS}, -({rank}) * {length_share} AS distance FROM documents_chunk c"  # noqa: S608
            f" WHERE c.language = %s AND c.search @@ %s::tsquery AND c.document_id {scope.operand}"
            f" ORDER BY distance LIMIT {DEPTH})"
        )
        for term, weight in weights.items():
            values += (weight, quote_term(term))
        candidates = choose_candidate_terms(terms, chunks=scope.chunks)
        values += (language, " | ".join(map(quote_term, candidates)), *scope.parameters)
    return read_places(" UNION ALL ".join(selects), values) if selects else []


def update_statistics() -> None:
    """Have PostgreSQL count words anew if a tenth of the chunks changed: autovacuum would do it a minute later."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_mod_since_analyze > 50 + n_live_tup / 10 FROM pg_stat_user_tables"
            " WHERE relid = 'documents_chunk'::regclass"
        )
        row = cursor.fetchone()
        if row and row[0]:
            cursor.execute("ANALYZE documents_chunk (search)")


def split_terms(query: str, languages: Sequence[str]) -> dict[str, list[str]]:
    """The question's words as each text-search configuration stems them, stop words left out: those of the
    configuration, and those of the question's own language.

    In a German text, or in a table of which no language could be told, "how" and "the" are as rare as names: with 34
    such among 1,800 English texts, they led the ranking by words for 70 % of the questions (nDCG@10 .283, and .452
    without).
    """
    terms = _stem(
        query, {*languages, _LIKELY_LANGUAGE} if len(languages) > 1 or FALLBACK in languages else languages
    )
    # The language that knows most of them for stop words leaves the fewest.
    own = min((name for name in terms if name != FALLBACK), key=lambda name: len(terms[name]))
    others = [name for name in languages if name != own]
    terms |= _stem(query, others, but=own) if others else {}
    return {name: terms[name][:TERMS_MAX] for name in languages if terms[name]}


def _stem(query: str, languages: Collection[str], *, but: str = "") -> dict[str, list[str]]:
    """The words as each configuration stems them, without the stop words of `but`."""
    words = "%s::text"
    values = [query]
    if but:
        words = (
            "(SELECT string_agg(word, ' ') FROM unnest(tsvector_to_array(to_tsvector('simple', %s))) AS word"
            " WHERE to_tsvector(%s::regconfig, word) <> '')"
        )
        values.append(but)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT language, tsvector_to_array(to_tsvector(language::regconfig, coalesce({words}, '')))"  # noqa: S608
            " FROM unnest(%s::text[]) AS language",
            [*values, list(languages)],
        )
        return dict(cursor.fetchall())


def weigh_terms(terms: Sequence[str]) -> dict[str, float]:
    """Each word's weight: the logarithm of how much rarer than everywhere it is (inverse document frequency).

    Words of every third chunk are left out unless there are no others: they decide nothing and cost as much.
    """
    _statistics.refresh()
    weights = {term: -math.log(_statistics.share(term)) for term in terms}
    return {term: weight for term, weight in weights.items() if weight > WEIGHT_MIN} or weights


def choose_candidate_terms(terms: Sequence[str], *, chunks: int) -> list[str]:
    """The rarest words, as many as choose about CANDIDATES_MAX of so many chunks; one at least."""
    _statistics.refresh()
    chosen: list[str] = []
    expected = 0.0
    for term in sorted(terms, key=_statistics.share):
        expected += _statistics.share(term) * chunks
        if chosen and expected > CANDIDATES_MAX:
            break
        chosen.append(term)
    return chosen


def quote_term(term: str) -> str:
    """A word as one operand of a tsquery."""
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"
