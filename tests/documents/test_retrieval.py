"""Search with the real model: the right passage, only what one may see, and never nothing for lack of vectors."""

import uuid

import pytest

from accounts.models import User
from documents.models import Document, Embedding
from documents.retrieval import nearest
from documents.retrieval.fusion import favour_openings, fuse, order_by_shares, spread_documents, weigh_words
from documents.retrieval.lexical import split_terms
from documents.retrieval.places import Place, RankedPlace
from documents.retrieval.search import search
from documents.services import create_collection
from tests.documents import files
from tests.documents.conftest import Upload, register_embeddings
from tests.openai_server import Refusal, ScriptedServer

HARBOUR = "\n\n".join(files.SENTENCES)
GARDEN = (
    "Tomatoes want sun and little water once they are ripe.\n\n"
    "Slugs are kept away by copper bands around the beds.\n\n"
    "The beech hedge is cut in June, after the birds have left."
)
GERMAN = (
    "Die Fähre zur Insel fährt jede zweite Stunde und ist für die Bürger der Stadt frei. "
    "Der Hafen wird im Winter nicht geöffnet, wenn das Eis zu dick ist."
)


@pytest.fixture
def model(embedding_server: str, embedder: ScriptedServer, settings: object) -> None:
    """The real embedding model, registered beside the scripted one and chosen."""
    register_embeddings(embedding_server, "all-MiniLM-L6-v2", 384)
    settings.EMBEDDING_MODEL = "all-MiniLM-L6-v2"


def test_person_asks_in_other_words_and_gets_the_passage(model: None, ingest: Upload, ada: User) -> None:
    harbour = ingest(HARBOUR.encode(), "harbour.txt")
    ingest(GARDEN.encode(), "garden.txt")
    hits = search(user=ada, query="Who looks after the beacon, and which pets live there?")
    assert hits[0].document_id == harbour.pk
    assert "three cats" in hits[0].text
    assert hits[0].score == max(hit.score for hit in hits)


def test_person_asks_for_a_rare_word_and_full_text_finds_it(model: None, ingest: Upload, ada: User) -> None:
    filler = [f"Entry {n}: nothing of note happened on this day at the quay." for n in range(60)]
    filler[41] = "Entry 41: inspector QX-7741 signed the ledger."
    document = ingest("\n\n".join(filler).encode(), "ledger.txt")
    hits = search(user=ada, query="QX-7741", k=1)
    assert [hit.document_id for hit in hits] == [document.pk]
    assert "QX-7741" in hits[0].text


def test_person_asks_for_one_invoice_among_many_alike_and_gets_it_first(
    model: None, ingest: Upload, ada: User
) -> None:
    invoices = [
        f"Invoice INV-2024-{n:04d} of {n * 13} crowns was paid within thirty days." for n in range(80)
    ]
    ingest("\n\n".join(invoices).encode(), "invoices.txt")
    for number in ("INV-2024-0017", "INV-2024-0068"):
        hits = search(user=ada, query=f"When was {number} paid?", k=3)
        assert number in hits[0].text
        assert hits[0].score == max(hit.score for hit in hits)


def test_person_searches_a_german_document_by_another_form_of_its_words(
    model: None, ingest: Upload, ada: User, embedder: ScriptedServer
) -> None:
    document = ingest(GERMAN.encode(), "hafen.txt")
    assert document.language == "german"
    Embedding.objects.all().delete()
    hits = search(user=ada, query="Häfen im Winter")
    assert [hit.document_id for hit in hits] == [document.pk]


def test_person_finds_only_what_they_may_see_even_by_id(
    model: None, ingest: Upload, ada: User, eve: User
) -> None:
    mine = ingest(HARBOUR.encode(), "mine.txt")
    hers = ingest(HARBOUR.encode(), "hers.txt", actor=eve)
    for chosen in (
        {},
        {"documents": [hers.pk, mine.pk]},
        {"collections": [hers.collection_id, mine.collection_id]},
    ):
        assert {hit.document_id for hit in search(user=ada, query="lighthouse", **chosen)} == {mine.pk}
    assert search(user=ada, query="lighthouse", documents=[hers.pk]) == []
    assert search(user=ada, query="lighthouse", documents=[uuid.uuid4()]) == []
    assert search(user=ada, query="lighthouse", documents=[]) == []


def test_person_searches_a_collection_and_a_document_together(model: None, ingest: Upload, ada: User) -> None:
    ports = create_collection(actor=ada, name="Ports")
    inside = ingest(HARBOUR.encode(), "inside.txt", collection=ports)
    named = ingest(HARBOUR.encode(), "named.txt")
    ingest(HARBOUR.encode(), "other.txt")
    hits = search(user=ada, query="ferry", collections=[ports.pk], documents=[named.pk])
    assert {hit.document_id for hit in hits} == {inside.pk, named.pk}


@pytest.mark.parametrize("exact_chunks_max", [15_000, 0], ids=["one by one", "index"])
def test_filter_that_keeps_one_document_of_many_never_empties_the_result(
    model: None, ingest: Upload, ada: User, monkeypatch: pytest.MonkeyPatch, exact_chunks_max: int
) -> None:
    for n in range(8):
        ingest((f"Port number {n}. " + HARBOUR).encode(), f"port {n}.txt")
    wanted = ingest(GARDEN.encode(), "garden.txt")
    monkeypatch.setattr(nearest, "EXACT_CHUNKS_MAX", exact_chunks_max)
    monkeypatch.setattr(nearest, "EXACT_FILTERED_MAX", exact_chunks_max)
    hits = search(user=ada, query="When does the ferry leave the harbour?", documents=[wanted.pk])
    assert {hit.document_id for hit in hits} == {wanted.pk}


def test_person_searches_while_the_embedding_server_is_away_and_words_still_find(
    ingest: Upload, ada: User, embedder: ScriptedServer
) -> None:
    document = ingest(HARBOUR.encode(), "harbour.txt")
    embedder.answer_everything = Refusal(400)
    hits = search(user=ada, query="lighthouse")
    assert [hit.document_id for hit in hits] == [document.pk]


def test_document_that_is_not_ready_is_not_found(model: None, ingest: Upload, ada: User) -> None:
    document = ingest(HARBOUR.encode())
    Document.objects.filter(pk=document.pk).update(status="embedding")
    assert search(user=ada, query="lighthouse") == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        "\x00",
        "' OR 1=1 --",
        "a & | ! ( ) : * <-> \\",
        "100% %s {x}",
        "the of and",
        "😀",
        "x" * 20_000,
    ],
)
def test_person_asks_anything_at_all_and_gets_an_answer_not_an_error(
    embedder: ScriptedServer, ingest: Upload, ada: User, query: str
) -> None:
    ingest(HARBOUR.encode())
    assert len(search(user=ada, query=query)) <= 5


def test_neighbouring_chunks_become_one_passage_of_its_page(model: None, ingest: Upload, ada: User) -> None:
    text = " ".join(
        f"{sentence} The lighthouse, number {n}." for n in range(12) for sentence in files.SENTENCES
    )
    document = ingest(text.encode())
    hits = search(user=ada, query="lighthouse cats", k=4)
    pages = dict(document.pages.values_list("number", "text"))
    assert len(hits) > 1
    for hit in hits:
        assert hit.text == pages[hit.page][hit.start : hit.end]
        assert len(hit.text) > 300


def test_question_about_a_document_itself_finds_its_opening(model: None, ingest: Upload, ada: User) -> None:
    told = (
        "The question of entry {n} is what this paper says about the paper, and why it says so of entry {n}."
    )
    pages = [GARDEN.split("\n\n"), *([told.format(n=n)] * 6 for n in range(2, 8))]
    document = ingest(files.make_pdf(pages), "garden.pdf")
    hits = search(user=ada, query="What is this paper about?", documents=[document.pk])
    assert hits[0].page == 1


def test_opening_of_the_leading_document_is_lifted_and_no_other() -> None:
    leading, other = uuid.uuid4(), uuid.uuid4()
    places = [Place(n, leading, n, 0, 9, is_reference=False) for n in (6, 5, 1)]
    places.append(Place(9, other, 1, 0, 9, is_reference=False))
    scores = [0.9, 0.85, 0.8, 0.1]
    lifted = favour_openings(list(zip(places, scores, strict=True)))
    assert [place.chunk_id for place, _ in lifted] == [1, 6, 5, 9]
    assert lifted[0][1] <= 1
    assert favour_openings([]) == []


def test_document_does_not_fill_the_answer_where_another_is_nearly_as_good() -> None:
    one, other = uuid.uuid4(), uuid.uuid4()
    places = [Place(n, one, n, 0, 9, is_reference=False) for n in range(4)]
    places.append(Place(9, other, 1, 0, 9, is_reference=False))
    near = spread_documents(list(zip(places, [1, 0.99, 0.98, 0.97, 0.96], strict=True)))
    assert [place.chunk_id for place, _ in near] == [0, 1, 9, 2, 3]
    far = spread_documents(list(zip(places, [1, 0.99, 0.98, 0.97, 0.5], strict=True)))
    assert [place.chunk_id for place, _ in far] == [0, 1, 2, 3, 9]


def ranked(*distances: tuple[int, float]) -> list[RankedPlace]:
    """Chunks of one document with their distances, nearest first."""
    document = uuid.UUID(int=1)
    return [RankedPlace(Place(n, document, 1, n, n + 1, is_reference=False), far) for n, far in distances]


def test_word_that_decides_outweighs_meaning_that_hardly_does_in_short_texts() -> None:
    by_words, by_meaning = ranked((1, -9.0), (2, -1.0)), ranked((2, 0.60), (1, 0.61), (3, 0.9))
    fused = fuse([(1.0, by_words), (1.0, by_meaning)])
    ordered = order_by_shares(fused, by_words, by_meaning)
    assert [place.chunk_id for place, _ in ordered] == [1, 2, 3]
    assert [score for _, score in ordered] == [score for _, score in fused]
    assert order_by_shares(fused, [], [])
    assert order_by_shares([], [], []) == []


def test_words_count_more_the_rarer_those_of_the_best_chunk() -> None:
    assert weigh_words([]) < weigh_words(ranked((1, -4.0))) < 1 < weigh_words(ranked((1, -12.0)))
    assert (
        weigh_words(ranked((1, -12.0))) < weigh_words(ranked((1, -99.0))) == weigh_words(ranked((1, -999.0)))
    )


@pytest.mark.django_db
def test_question_leaves_its_own_stop_words_out_in_texts_of_other_languages() -> None:
    asked = "How do I reset the keys?"
    assert split_terms(asked, ["english"]) == {"english": ["key", "reset"]}
    assert split_terms(asked, ["simple"]) == {"simple": ["keys", "reset"]}
    assert split_terms(asked, ["english", "german"])["german"] == ["keys", "reset"]
    assert split_terms("Wann kommt die Bahn?", ["english", "german"])["english"] == ["bahn", "kommt", "wann"]
    assert split_terms("What is it?", ["english", "simple"]) == {}
