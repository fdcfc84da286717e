"""The name that a model of a group puts before its words goes, however the stream cuts it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.prompting.speaking import NameTrimmer


def told(pieces: list[str], *names: str) -> str:
    trimmer = NameTrimmer(*names)
    return "".join([*map(trimmer.feed, pieces), trimmer.flush()])


@given(cuts=st.sets(st.integers(1, 13)))
def test_name_and_the_space_behind_it_go_wherever_the_pieces_end(cuts):
    answer = " ann: Morning."
    ends = [0, *sorted(cuts), len(answer)]
    assert told([answer[a:b] for a, b in itertools.pairwise(ends)], "Ann") == "Morning."


@pytest.mark.parametrize("answer", ["Annabel: no", "  Well.", "An", "", "Ben says: Ann: hm"])
def test_other_beginnings_stay_as_they_are(answer):
    assert told(list(answer), "Ann") == answer
    assert told([answer], "Ann") == answer
