"""Files that nothing names any more go from storage, and no others; in Azurite, as all tests of this folder."""

import io
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from PIL import Image

from accounts.models import User
from characters.assets.models import AssetKind
from characters.assets.services import add_picture, set_portrait, set_style
from characters.assets.sweeping import KEEP_DAYS, list_files, remove_unnamed_files
from characters.personas.services import create_persona, set_persona_portrait
from characters.pictures import encode_portrait, small_name, store_picture
from characters.services import create_character, delete_character

pytestmark = pytest.mark.django_db
AT_ONCE = timedelta(seconds=-60)


def stored() -> set[str]:
    return set(list_files())


def forget_wishes() -> None:
    """As a day later: nobody is about to name anything."""
    cache.delete_many([f"wanted-file:{name}" for name in stored()])


def sweep() -> None:
    forget_wishes()
    remove_unnamed_files(keep=AT_ONCE)


def paint(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_what_rows_name_stays_and_what_none_names_goes(bo: User):
    sweep()
    mira = create_character(actor=bo, name="Mira")
    mira = set_portrait(actor=bo, character_id=mira.pk, data=paint("#aa0000"))
    older = str(mira.avatar.name)
    mira = set_portrait(actor=bo, character_id=mira.pk, data=paint("#00aa00"))
    joy = add_picture(
        actor=bo, character_id=mira.pk, kind=AssetKind.EXPRESSION, name="joy", data=paint("#0000aa")
    )
    style = set_style(actor=bo, character_id=mira.pk, text="Ink.")
    persona = create_persona(actor=bo, name="Bo", description="")
    persona = set_persona_portrait(actor=bo, persona_id=persona.pk, data=paint("#777777"))
    lost = store_picture(encode_portrait(paint("#123456")))
    named = {str(persona.avatar.name), older, str(mira.avatar.name), str(joy.file.name), str(style.file.name)}
    before = stored()
    assert named | {lost, small_name(lost)} <= before

    sweep()

    # The version before still wears the older portrait.
    assert named | {small_name(older), small_name(str(joy.file.name))} <= stored()
    assert not {lost, small_name(lost)} & stored()

    delete_character(actor=bo, character_id=mira.pk)
    sweep()
    assert stored() == {str(persona.avatar.name), small_name(str(persona.avatar.name))}


def test_a_file_that_is_young_or_wanted_right_now_stays():
    sweep()
    lost = store_picture(encode_portrait(paint("#654321")))
    forget_wishes()
    assert remove_unnamed_files() == 0
    assert KEEP_DAYS > 1
    # Somebody stores the same picture again and has not named it yet.
    assert store_picture(encode_portrait(paint("#654321"))) == lost
    assert remove_unnamed_files(keep=AT_ONCE) == 0
    assert default_storage.exists(lost)
    forget_wishes()
    assert remove_unnamed_files(keep=AT_ONCE) == 2
