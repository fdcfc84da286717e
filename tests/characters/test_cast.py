"""The house's own cast: made once, kept fresh, never over somebody's changes; and drawn the same every time."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from PIL import Image

from characters.cast import CAST
from characters.models import CastRecord, Character
from characters.portraits import PORTRAITS
from characters.services import seed_cast
from tests.characters.conftest import read_stored

pytestmark = pytest.mark.django_db


def test_house_seeds_cast_brings_four_in():
    written = seed_cast()

    assert [character.slug for character in written] == ["odile", "bram", "tove", "anselm"]
    assert [character.slug for character in Character.objects.filter(is_grounded=True)] == ["odile"]
    for character in Character.objects.all():
        assert character.is_shown_to_everyone
        assert len(character.suggestions) == 3
        picture = Image.open(io.BytesIO(read_stored(character.avatar.name)))
        assert (picture.format, picture.size) == ("WEBP", (512, 512))


def test_house_seeds_cast_again_changes_nothing():
    seed_cast()
    before = list(Character.objects.values())

    assert seed_cast() == []
    assert list(Character.objects.values()) == before


def test_house_seeds_cast_leaves_changed_and_deleted_alone():
    seed_cast()
    Character.objects.filter(slug="bram").update(greeting="Ours now.")
    Character.objects.filter(slug="tove").delete()
    # A release with other words for everybody.
    CastRecord.objects.update(member_digest="an older release")

    written = seed_cast()

    assert [character.slug for character in written] == ["odile", "anselm"]
    assert Character.objects.get(slug="bram").greeting == "Ours now."
    assert not Character.objects.filter(slug="tove").exists()


def test_house_seeds_cast_leaves_a_namesake_alone(bo):
    Character.objects.create(slug="odile", name="My Odile", owner=bo)

    seed_cast()

    assert Character.objects.get(slug="odile").name == "My Odile"


@pytest.mark.django_db(transaction=True)
def test_two_processes_seed_at_once_make_one_cast():
    def seed(_: int) -> int:
        try:
            return len(seed_cast())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        written = list(pool.map(seed, range(2)))

    assert sum(written) == len(CAST)
    assert Character.objects.count() == len(CAST)


def test_painter_draws_twice_gets_the_same_picture():
    assert PORTRAITS["odile"]().tobytes() == PORTRAITS["odile"]().tobytes()


def test_cast_says_what_a_prompt_needs():
    for member in CAST:
        assert 120 <= len(member.system_prompt.split()) <= 250, member.slug
        assert "language model" in member.system_prompt, member.slug
        assert len(member.suggestions) == 3
        assert member.slug in PORTRAITS
