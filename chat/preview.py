"""A chat beside the editor: a character as somebody is just writing it answers, and nothing is stored.

The page sends the words of the form and of the talk so far; the answer is JSON lines (`chat.json_lines`). Usage and
limits count as for any answer.
"""

import uuid
from dataclasses import dataclass
from typing import Literal

import msgspec
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.errors import InvalidInput, NotAllowed, ParlourError
from accounts.models import User
from characters.access import find_own
from characters.models import Character
from characters.versions.snapshot import FIELDS, with_fields
from chat.database import in_database, in_search
from chat.json_lines import answer, refusal
from chat.prompt import PromptParts, build_request
from chat.prompting.grounding import find_sources, passages_of, scope_of
from chat.prompting.macros import fill
from chat.prompting.questions import stand_alone
from chat.prompting.tokens import calibration
from chat.prompting.voice import names_of, voice_of
from inference.queries import resolve_model
from inference.routing.limits import admit
from inference.types import Caller, ChatRequest, ModelTarget, Turn

# A try is short; who wants more opens a chat.
MOST_MESSAGES = 60
LONGEST_ANSWER_TOKENS = 800


class Said(msgspec.Struct):
    role: Literal["user", "assistant"]
    text: str


class Wanted(msgspec.Struct):
    """What the page sends. `fields` are those of a snapshot; `character` is the slug of a saved one."""

    fields: dict[str, object]
    messages: list[Said]
    character: str | None = None


@dataclass(frozen=True, slots=True)
class _Setting:
    character: Character
    target: ModelTarget
    collections: tuple[uuid.UUID, ...]


@require_POST
async def stream(request: HttpRequest) -> HttpResponseBase:
    """The answer as the model speaks."""
    user = await request.auser()
    try:
        if not isinstance(user, User):
            raise NotAllowed
        wanted = _read(request.body)
        setting = await in_database(_prepare, user, wanted)
        caller = Caller(user.pk, user.acting_key_id)
        if setting.target.limits:
            await admit(setting.target.limits, caller)
        asked = await _build(user, setting, wanted, caller)
    except ParlourError as error:
        return refusal(error)
    return answer(setting.target, asked, caller)


def _read(body: bytes) -> Wanted:
    try:
        wanted = msgspec.json.decode(body, type=Wanted)
    except msgspec.MsgspecError as error:
        raise InvalidInput(_("The editor sent something unexpected. Reload the page.")) from error
    if not wanted.messages or wanted.messages[-1].role != "user":
        raise InvalidInput(_("Say something first."))
    if len(wanted.messages) > MOST_MESSAGES:
        raise InvalidInput(_("A try has at most sixty messages. Begin again, or open a chat."))
    return wanted


def _prepare(user: User, wanted: Wanted) -> _Setting:
    collections: tuple[uuid.UUID, ...] = ()
    if wanted.character:
        key = Character.objects.filter(slug=wanted.character).values_list("pk", flat=True).first()
        row = find_own(user, key or uuid.uuid4(), is_locked=False)
        collections = tuple(row.collections.values_list("pk", flat=True))
    else:
        row = Character(name="")
    known = {
        name: value for name, value in wanted.fields.items() if name in FIELDS and _fits(row, name, value)
    }
    character = with_fields(row, known)
    model = character.model.name if character.model else None
    return _Setting(character, resolve_model(model, user=user), collections)


def _fits(row: Character, name: str, value: object) -> bool:
    """Whether the value is of the kind that the field holds."""
    if name in {"temperature", "max_tokens"}:
        return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    return isinstance(value, type(getattr(row, name)))


async def _build(user: User, setting: _Setting, wanted: Wanted, caller: Caller) -> ChatRequest:
    character, target = setting.character, setting.target
    names = names_of(character, user.name)
    history = tuple(Turn(said.role, fill(said.text, names)) for said in wanted.messages)
    scope = scope_of(character, target, collections=setting.collections, documents=())
    passages = None
    if scope is not None:
        question = await stand_alone(history[-1].text, history, target, caller)
        passages = passages_of(await in_search(find_sources, user, question, scope))
    return build_request(
        PromptParts(
            system_prompt="",
            history=history,
            passages=passages,
            context_tokens=calibration.room(target),
            max_tokens=min(character.max_tokens or LONGEST_ANSWER_TOKENS, LONGEST_ANSWER_TOKENS),
            temperature=character.temperature,
            voice=voice_of(character, user_name=user.name),
        )
    )
