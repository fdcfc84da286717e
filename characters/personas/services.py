"""What happens to personas. At most one of a person's is the default."""

import uuid
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.audit import record
from accounts.models import User
from characters.errors import CharacterInvalid, PersonaNotFound
from characters.personas.models import Persona
from characters.pictures import encode_portrait, store_picture

MAX_PERSONAS = 100


class PersonaChanges(TypedDict, total=False):
    name: str
    description: str
    is_default: bool


@transaction.atomic
def create_persona(*, actor: User, **fields: Unpack[PersonaChanges]) -> Persona:
    """A persona of the actor's; the first one is the default."""
    own = Persona.objects.visible_to(actor)
    count = own.count()
    if count >= MAX_PERSONAS:
        raise CharacterInvalid(
            _("You have %(most)d personas already. Delete one first.") % {"most": MAX_PERSONAS}
        )
    persona = Persona(owner=actor, **{"is_default": count == 0, **fields})
    return _save(actor, persona, "create persona")


@transaction.atomic
def update_persona(*, actor: User, persona_id: uuid.UUID, **changes: Unpack[PersonaChanges]) -> Persona:
    persona = _find(actor, persona_id)
    for field, value in changes.items():
        setattr(persona, field, value)
    return _save(actor, persona, "change persona")


def set_persona_portrait(*, actor: User, persona_id: uuid.UUID, data: bytes) -> Persona:
    """The persona with this picture. Raises `PictureRefused`."""
    _find(actor, persona_id)
    # Before the transaction: storing may be a network call.
    name = store_picture(encode_portrait(data))
    with transaction.atomic():
        persona = _find(actor, persona_id)
        persona.avatar = name
        persona.save(update_fields=["avatar", "updated_at"])
        record(actor=actor, verb="change persona", target=persona)
    return persona


@transaction.atomic
def delete_persona(*, actor: User, persona_id: uuid.UUID) -> None:
    """The persona is gone; chats that had it go on without one."""
    persona = _find(actor, persona_id)
    record(actor=actor, verb="delete persona", target=persona)
    persona.delete()


def _find(actor: User, persona_id: uuid.UUID) -> Persona:
    persona = Persona.objects.visible_to(actor).filter(pk=persona_id).first()
    if persona is None:
        raise PersonaNotFound
    return persona


def _save(actor: User, persona: Persona, verb: str) -> Persona:
    persona.name = " ".join(persona.name.replace("\x00", "").split())
    persona.description = persona.description.replace("\x00", "")
    if persona.is_default:
        Persona.objects.visible_to(actor).filter(is_default=True).exclude(pk=persona.pk).update(
            is_default=False
        )
    try:
        persona.full_clean(exclude=["avatar", "owner"])
    except ValidationError as error:
        problems = next(iter(error.message_dict.values()))
        raise CharacterInvalid(problems[0]) from error
    persona.save()
    record(actor=actor, verb=verb, target=persona)
    return persona
