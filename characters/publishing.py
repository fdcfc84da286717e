"""Who meets a character: sharing with groups, showing to everyone, review, featuring, hiding.

A person shares with groups of their own. Showing one to everyone takes the right to publish; without it the wish
waits for an administrator, who grants it or says why not.
"""

import uuid

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import record
from accounts.models import User
from characters.access import find_own
from characters.errors import CharacterInvalid, CharacterNotAllowed
from characters.models import Character, Visibility

_PUBLISH = "characters.publish_character"


@transaction.atomic
def publish_character(*, actor: User, character_id: uuid.UUID) -> Character:
    """The character, shown to everyone from now on; a wish for it is granted with that."""
    character = find_own(actor, character_id)
    if not actor.has_perm(_PUBLISH):
        raise CharacterNotAllowed(_("Showing a character to everyone takes an administrator."))
    character.visibility = Visibility.EVERYONE
    character.is_published = True
    character.hidden_at, character.hidden_reason, character.review_requested_at = None, "", None
    return _save(character, actor, "publish character")


@transaction.atomic
def unpublish_character(*, actor: User, character_id: uuid.UUID) -> Character:
    """The character, seen by its owner only; chats that have it keep it."""
    character = find_own(actor, character_id)
    character.is_published = False
    character.review_requested_at = None
    return _save(character, actor, "unpublish character")


@transaction.atomic
def share_character(
    *, actor: User, character_id: uuid.UUID, visibility: Visibility, groups: list[Group]
) -> Character:
    """The character with this audience. Without the right to publish, everyone becomes a wish for review."""
    if visibility == Visibility.PRIVATE:
        return unpublish_character(actor=actor, character_id=character_id)
    if visibility == Visibility.EVERYONE and actor.has_perm(_PUBLISH):
        return publish_character(actor=actor, character_id=character_id)
    character = find_own(actor, character_id)
    if visibility == Visibility.EVERYONE:
        if character.is_shown_to_everyone:
            return character
        character.review_requested_at = character.review_requested_at or timezone.now()
        return _save(character, actor, "ask to publish character")
    allowed = Group.objects.all() if actor.has_perm(_PUBLISH) else actor.groups.all()
    chosen = list(allowed.filter(pk__in=[group.pk for group in groups]))
    if not chosen:
        raise CharacterInvalid(_("Choose at least one group of yours."))
    character.shown_to.set(chosen)
    character.visibility, character.is_published = Visibility.GROUP, True
    character.review_requested_at = None
    return _save(character, actor, "share character")


@transaction.atomic
def hide_character(*, actor: User, character_id: uuid.UUID, reason: str) -> Character:
    """The character, seen by its owner alone, who reads why; also how a wish for review is declined."""
    character = _find_as_publisher(actor, character_id)
    reason = " ".join(reason.split())
    if not reason:
        raise CharacterInvalid(_("Say why: the owner reads it."))
    character.hidden_at, character.hidden_reason = timezone.now(), reason[:500]
    character.review_requested_at, character.featured_at = None, None
    return _save(character, actor, "hide character")


@transaction.atomic
def unhide_character(*, actor: User, character_id: uuid.UUID) -> Character:
    """The character, with the audience it had before it was hidden."""
    character = _find_as_publisher(actor, character_id)
    character.hidden_at, character.hidden_reason = None, ""
    return _save(character, actor, "unhide character")


@transaction.atomic
def feature_character(*, actor: User, character_id: uuid.UUID, is_featured: bool) -> Character:
    """The character, in the gallery's first row, or back in line."""
    character = _find_as_publisher(actor, character_id)
    if is_featured and not character.is_shown_to_everyone:
        raise CharacterInvalid(_("Only characters that everyone sees can be featured. Publish it first."))
    character.featured_at = timezone.now() if is_featured else None
    return _save(character, actor, "feature character" if is_featured else "unfeature character")


def _find_as_publisher(actor: User, character_id: uuid.UUID) -> Character:
    if not actor.has_perm(_PUBLISH):
        raise CharacterNotAllowed
    return find_own(actor, character_id)


def _save(character: Character, actor: User, verb: str) -> Character:
    character.save(
        update_fields=[
            "visibility",
            "is_published",
            "hidden_at",
            "hidden_reason",
            "featured_at",
            "review_requested_at",
            "updated_at",
        ]
    )
    record(actor=actor, verb=verb, target=character)
    return character
