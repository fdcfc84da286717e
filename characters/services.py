"""What happens to characters: every write goes through a verb here, for pages, the API and the administration.

Anybody may keep characters of their own; showing one to everyone takes the right to publish.
"""

import dataclasses
import functools
import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts.audit import record
from accounts.models import User
from characters.access import find_own
from characters.cast import CAST, CastMember
from characters.errors import CharacterInvalid, CharacterNotAllowed
from characters.models import CastRecord, Character, Draft, Visibility
from characters.pictures import save_webp, store_picture
from characters.portraits import PORTRAITS, PORTRAITS_VERSION
from characters.sampling import problem_of
from characters.versions.services import keep_version
from documents.models import Collection
from inference.models import Model

# Addresses of the gallery's own pages.
RESERVED_SLUGS = frozenset({"new", "pictures", "import", "export", "preview"})
# Two processes that start at once seed one after the other. "castseed" in ASCII.
_SEED_LOCK = int.from_bytes(b"castseed")


class CharacterFields(TypedDict, total=False):
    """What a person may set; what is left out stays, or has the model's default."""

    slug: str
    owner: User | None
    tagline: str
    description: str
    system_prompt: str
    definition: str
    personality: str
    scenario: str
    example_dialogue: str
    post_history_instructions: str
    greeting: str
    alternate_greetings: list[str]
    group_greetings: list[str]
    nickname: str
    creator: str
    creator_notes: str
    character_version: str
    suggestions: list[str]
    tags: list[str]
    model: Model | None
    temperature: float | None
    max_tokens: int | None
    sampling: dict[str, object]
    is_grounded: bool
    position: int


class CharacterChanges(CharacterFields, total=False):
    name: str


def create_character(
    *,
    actor: User,
    name: str,
    collections: list[Collection] | None = None,
    **fields: Unpack[CharacterFields],
) -> Character:
    """A new character that only its owner sees: the actor, unless the actor may give it to another."""
    owner = fields.pop("owner", actor)
    if owner != actor and not actor.has_perm("characters.add_character"):
        raise CharacterNotAllowed
    character = Character(
        name=name, owner=owner, visibility=Visibility.PRIVATE, is_published=False, **_tidy(fields)
    )
    character.slug = character.slug or _free_slug(name)
    _check(character)
    with transaction.atomic():
        _save(character)
        if collections is not None:
            _set_collections(actor, character, collections)
        keep_version(character, actor=actor)
        record(actor=actor, verb="create character", target=character)
    return character


def update_character(
    *,
    actor: User,
    character_id: uuid.UUID,
    collections: list[Collection] | None = None,
    note: str = "",
    **changes: Unpack[CharacterChanges],
) -> Character:
    """The character with these fields changed, as a new version; `note` says why. Chats keep the one they have."""
    with transaction.atomic():
        character = find_own(actor, character_id)
        if "owner" in changes and not actor.has_perm("characters.change_character"):
            raise CharacterNotAllowed
        if character.version_id is None:
            keep_version(character, actor=None)
        for field, value in _tidy(changes).items():
            setattr(character, field, value)
        _check(character)
        _save(character)
        if collections is not None:
            _set_collections(actor, character, collections)
        keep_version(character, actor=actor, note=note)
        Draft.objects.filter(character=character).delete()
        record(actor=actor, verb="change character", target=character)
    return character


@transaction.atomic
def delete_character(*, actor: User, character_id: uuid.UUID) -> None:
    """Remove the character; its chats stay, without it. Portraits stay in storage, others may share them."""
    character = find_own(actor, character_id)
    record(actor=actor, verb="delete character", target=character)
    character.delete()


def seed_cast() -> list[Character]:
    """Bring the house's own characters in, and return those that were written. Run at every start.

    A character is made once. While nobody touches it, it follows the releases; once an administrator has changed
    or deleted it, it is theirs.
    """
    return [character for member in CAST if (character := _seed_member(member))]


def _seed_member(member: CastMember) -> Character | None:
    if not _wants_seeding(member):
        return None
    # Drawing takes half a second and storing may be a network call: both before the transaction.
    portrait = store_picture(_draw(member.slug))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEED_LOCK])
        if not _wants_seeding(member):
            return None
        character = Character.objects.filter(slug=member.slug).first() or Character(slug=member.slug)
        for field, value in dataclasses.asdict(member).items():
            setattr(character, field, list(value) if isinstance(value, tuple) else value)
        character.avatar = portrait
        character.save()
        keep_version(character, actor=None)
        CastRecord.objects.update_or_create(
            slug=member.slug,
            defaults={"member_digest": _digest_member(member), "row_digest": _digest_row(character)},
        )
        record(actor=None, verb="seed character", target=character)
    return character


@functools.cache
def _draw(slug: str) -> bytes:
    return save_webp(PORTRAITS[slug]())


def _wants_seeding(member: CastMember) -> bool:
    made = CastRecord.objects.filter(slug=member.slug).first()
    character = Character.objects.filter(slug=member.slug).first()
    if made is None:
        return character is None
    is_untouched = character is not None and _digest_row(character) == made.row_digest
    return is_untouched and made.member_digest != _digest_member(member)


def _digest_member(member: CastMember) -> str:
    return _digest({**dataclasses.asdict(member), "portrait": PORTRAITS_VERSION})


def _digest_row(character: Character) -> str:
    """Of everything an administrator can change, except where it stands in the gallery."""
    names = [field.name for field in dataclasses.fields(CastMember) if field.name != "position"]
    rest = {
        "avatar": character.avatar.name,
        "visibility": character.visibility,
        "shown": character.is_published,
    }
    owned = {"owner": character.owner_id, "model": character.model_id, "longest": character.max_tokens}
    return _digest({name: getattr(character, name) for name in names} | rest | owned)


def _digest(values: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def _save(character: Character) -> None:
    try:
        with transaction.atomic():
            character.save()
    except IntegrityError as error:
        # The check found the short name free a moment ago.
        raise CharacterInvalid(_("Another character has just taken that short name. Try again.")) from error


def _set_collections(actor: User, character: Character, collections: list[Collection]) -> None:
    # A character lends them to everyone it talks to, which is for their managers to say.
    managed = Collection.objects.manageable_by(actor)
    allowed = managed.filter(pk__in=[row.pk for row in collections])
    # Those that were there and are not the actor's to give stay.
    kept = character.collections.exclude(pk__in=managed)
    character.collections.set([*allowed, *kept])


def _tidy(fields: Mapping[str, object]) -> dict[str, Any]:
    """The fields with lines as we keep them (a browser sends two signs for each end), without blank ones among the
    suggestions, and with each tag once, in small letters."""
    tidy = {
        name: value.replace("\r\n", "\n") if isinstance(value, str) else value
        for name, value in fields.items()
    }
    for name in ("suggestions", "tags"):
        values = tidy.get(name)
        if isinstance(values, list):
            words = [" ".join(str(value).split()) for value in values]
            tidy[name] = list(
                dict.fromkeys(word.lower() if name == "tags" else word for word in words if word)
            )
    return tidy


def _check(character: Character) -> None:
    try:
        character.full_clean(exclude=["avatar"])
        if character.slug in RESERVED_SLUGS:
            raise ValidationError({"slug": _("That one is taken by a page of the gallery. Choose another.")})
        problems = [problem for item in character.sampling.items() if (problem := problem_of(*item))]
        if problems:
            raise ValidationError({"sampling": problems[0]})
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise CharacterInvalid(
            _("%(field)s: %(problem)s") % {"field": _field_label(field), "problem": messages[0]}
        ) from error


def _field_label(field: str) -> str:
    try:
        return str(Character._meta.get_field(field).verbose_name).capitalize()  # type: ignore[union-attr]
    except LookupError:
        return str(Character._meta.verbose_name).capitalize()


def _free_slug(name: str) -> str:
    """A slug of the name that no character has; two at once are kept apart by the database."""
    base = slugify(name)[:70] or "character"
    taken = set(RESERVED_SLUGS) | set(
        Character.objects.filter(slug__startswith=base).values_list("slug", flat=True)
    )
    if base not in taken:
        return base
    return next(slug for number in range(2, len(taken) + 3) if (slug := f"{base}-{number}") not in taken)
