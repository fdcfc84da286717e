"""What happens to servers and models: every write goes through a verb here.

Servers are asked outside of transactions; what they said is written in one. A server that does not answer keeps
its models, since calling them says better what is wrong; a model goes missing when its server answers without it.
"""

import logging
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts import audit
from accounts.errors import NotAllowed, NotFound, Words
from accounts.models import User
from inference.endpoints import endpoint_at
from inference.errors import InferenceError, ServerUrlRefused
from inference.estate.discovery import (
    FoundModel,
    ServerReport,
    api_base,
    ask_server,
    capability_of,
    known_kind,
)
from inference.keys import check_reference
from inference.metrics import count_request
from inference.model_server.choice import ModelChoice, choice_of, read_choice
from inference.models import Capability, Deployment, Model, Origin, Server, ServerKind, Usage
from inference.queries import forget_estate, limits_on
from inference.routing import limits
from inference.sampling import check_defaults
from inference.types import Call, Caller, LimitRule

QUOTES_NAME = "quotes"
# It computes nothing over what it is given but sentences: ten thousand pages are no too long context.
QUOTES_CONTEXT_TOKENS = 10_000_000
# What names the server that the local stack runs for a GGUF file.
LOCAL_SETTING = "MODEL_GGUF"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What came of talking to a server, for a person."""

    is_ok: bool
    sentence: Words


@dataclass(frozen=True, slots=True)
class _Configured:
    """A server that the environment names, and the models it is known to have without asking."""

    setting: str
    url: str
    key_variable: str
    models: tuple[FoundModel, ...]
    # Where the environment lists models, those are all there are to be.
    is_complete: bool
    kind: ServerKind = ServerKind.OPENAI


def save_server(*, actor: User, server: Server) -> Server:
    """Write a new or changed server; its address and key reference must hold."""
    _require_administrator(actor)
    if server.kind != ServerKind.QUOTES:
        server.base_url = api_base(server.base_url, server.kind)
        server.kind = known_kind(server.base_url, server.kind)
    check_reference(server.api_key_ref, base_url=server.base_url)
    with transaction.atomic():
        server.save()
        audit.record(actor=actor, verb="save_server", target=server)
        transaction.on_commit(forget_estate)
    return server


def save_model(*, actor: User, model: Model) -> Model:
    """Write a new or changed model; its defaults must be some that servers take."""
    _require_administrator(actor)
    check_defaults(model.defaults)
    with transaction.atomic():
        model.save()
        audit.record(actor=actor, verb="save_model", target=model)
        transaction.on_commit(forget_estate)
    return model


def set_default_model(*, actor: User, model_id: uuid.UUID) -> Model:
    """Make a model the one that new conversations begin with, in place of the one before."""
    _require_administrator(actor)
    with transaction.atomic():
        model = Model.objects.select_for_update().filter(pk=model_id).first()
        if model is None:
            raise NotFound
        Model.objects.filter(is_default=True).update(is_default=False)
        model.is_default = True
        model.save(update_fields=["is_default"])
        audit.record(actor=actor, verb="set_default_model", target=model)
        transaction.on_commit(forget_estate)
    return model


def refresh_models(*, actor: User, server_id: uuid.UUID) -> Diagnosis:
    """Ask a server for its models now and write them down."""
    _require_administrator(actor)
    return _refresh(_get_server(server_id))


def diagnose_server(*, actor: User, server_id: uuid.UUID) -> Diagnosis:
    """Ask a server for its models and write nothing but whether it answered."""
    _require_administrator(actor)
    server = _get_server(server_id)
    try:
        report = _ask(server)
    except InferenceError as error:
        _note_error(server, error)
        return Diagnosis(False, error.user_message)
    _note_answer(server, report.kind)
    return Diagnosis(True, _describe(server, report))


def register_configured_servers() -> list[Server]:
    """Bring the rows in line with the environment and the built-in quotes; safe to run at any time, by anybody.

    Servers that do not answer are registered all the same and asked again at the next run.
    """
    _register_quotes()
    configured = _configured_servers()
    _retire_servers(except_for=[entry.setting for entry in configured])
    servers = []
    for entry in configured:
        try:
            servers.append(_register(entry))
        except ServerUrlRefused as error:
            logger.error("%s cannot be used: %s", entry.setting, error.user_message)
    return servers


def refresh_servers() -> None:
    """Ask every server that an administrator added; what is wrong stands in its row."""
    for server in Server.objects.filter(is_enabled=True, origin=Origin.ADMIN):
        _refresh(server)


def note_dimensions(*, model_name: str, dimensions: int) -> None:
    """Keep the vector length that a model's first answer showed."""
    if Model.objects.filter(name=model_name, dimensions=None).update(dimensions=dimensions):
        forget_estate()


def record_usage(calls: Sequence[Call]) -> list[Usage]:
    """Write down calls of models, however they ended; a stopped one is no error, a kept answer is free."""
    models = Model.objects.in_bulk({call.model_name for call in calls}, field_name="name") if calls else {}
    rows = []
    for call in calls:
        count_request(
            model_name=call.model_name,
            outcome=call.error_code or ("stopped" if call.is_stopped else "ok"),
            completion_tokens=call.completion_tokens,
            first_token_seconds=call.first_token_seconds,
            duration_seconds=call.duration_seconds,
        )
        rows.append(_usage_of(call, models.get(call.model_name)))
    Usage.objects.bulk_create(rows)
    for call, row in zip(calls, rows, strict=True):
        if call.user_id is not None and not call.is_cached and (rules := limits_on(call.model_name)):
            transaction.on_commit(partial(_charge, rules, call, row.cost or Decimal()))
    return rows


def _usage_of(call: Call, model: Model | None) -> Usage:
    cost = None
    if model and not call.is_cached:
        cost = model.cost_of(call.prompt_tokens, call.completion_tokens)
    return Usage(
        user_id=call.user_id,
        api_key_id=call.api_key_id,
        is_cached=call.is_cached,
        trial_id=call.trial_id,
        arm=call.arm,
        model=model,
        model_name=call.model_name,
        prompt_tokens=call.prompt_tokens,
        completion_tokens=call.completion_tokens,
        first_token_seconds=call.first_token_seconds,
        duration_seconds=call.duration_seconds,
        cost=cost,
        error_code=call.error_code,
    )


def _charge(rules: tuple[LimitRule, ...], call: Call, cost: Decimal) -> None:
    assert call.user_id is not None
    caller = Caller(call.user_id, call.api_key_id)
    limits.charge(rules, caller, tokens=call.prompt_tokens + call.completion_tokens, cost=cost)


def _require_administrator(actor: User) -> None:
    if not actor.is_staff:
        raise NotAllowed


def _get_server(server_id: uuid.UUID) -> Server:
    server = Server.objects.filter(pk=server_id).first()
    if server is None:
        raise NotFound
    return server


def _configured_servers() -> list[_Configured]:
    configured = []
    urls = [url.strip() for url in settings.INFERENCE_URL.split(",") if url.strip()]
    # Which of several servers has a named model only they can tell.
    named = tuple(_named(name) for name in settings.INFERENCE_MODELS) if len(urls) == 1 else ()
    for number, url in enumerate(urls, start=1):
        setting = "INFERENCE_URL" if number == 1 else f"INFERENCE_URL {number}"
        configured.append(_Configured(setting, url, "INFERENCE_API_KEY", named, bool(named)))
    if settings.EMBEDDING_URL:
        embedding = FoundModel(settings.EMBEDDING_MODEL, Capability.EMBEDDINGS)
        configured.append(
            _Configured("EMBEDDING_URL", settings.EMBEDDING_URL, "EMBEDDING_API_KEY", (embedding,), True)
        )
    if settings.LOCAL_MODEL_URL and (choice := served_choice()):
        served = FoundModel(choice.name, capability_of(choice.name) or Capability.CHAT)
        configured.append(
            _Configured(LOCAL_SETTING, settings.LOCAL_MODEL_URL, "", (served,), True, ServerKind.LLAMACPP)
        )
    return configured


def served_choice() -> ModelChoice | None:
    """The GGUF file that the local stack serves, or is about to."""
    if settings.MODEL_GGUF:
        return choice_of(Path(settings.MODEL_GGUF).expanduser())
    return read_choice(settings.DATA_DIR)


def _named(name: str) -> FoundModel:
    return FoundModel(name, capability_of(name) or Capability.CHAT)


def _register_quotes() -> None:
    server, _created = Server.objects.get_or_create(
        origin=Origin.BUILT_IN, defaults={"name": "Built in", "kind": ServerKind.QUOTES}
    )
    if not server.deployments.filter(context_tokens=QUOTES_CONTEXT_TOKENS).exists():
        found = FoundModel(QUOTES_NAME, Capability.CHAT, QUOTES_CONTEXT_TOKENS)
        _write_models(server, [found], label=str(_("Quotes from your documents")))


def _register(entry: _Configured) -> Server:
    """The row of a configured server, brought up to date and asked for its models."""
    base_url = api_base(entry.url)
    server = Server.objects.filter(setting=entry.setting).first() or Server(
        setting=entry.setting, origin=Origin.ENVIRONMENT
    )
    if server.base_url != base_url:
        # Another address may be another kind of server, and deserves another name.
        server.base_url, server.kind = base_url, entry.kind
        server.name = _free_name(entry.setting, base_url)
    server.api_key_ref = f"env:{entry.key_variable}" if os.environ.get(entry.key_variable) else ""
    server.save()
    _refresh(server, named=entry.models, is_complete=entry.is_complete)
    return server


def _free_name(setting: str, base_url: str) -> str:
    host = urlsplit(base_url).netloc
    names = {"EMBEDDING_URL": f"Embeddings at {host}", LOCAL_SETTING: "Embedded llama.cpp"}
    name = names.get(setting, host)
    taken = Server.objects.filter(name=name).exclude(setting=setting).exists()
    return f"{name} ({setting})" if taken else name


def _retire_servers(*, except_for: Sequence[str]) -> None:
    """Servers that the environment names no longer have no models any more."""
    gone = Deployment.objects.filter(server__origin=Origin.ENVIRONMENT, missing_since=None).exclude(
        server__setting__in=except_for
    )
    if gone.update(missing_since=timezone.now()):
        forget_estate()


def _refresh(server: Server, *, named: Sequence[FoundModel] = (), is_complete: bool = False) -> Diagnosis:
    """Ask, then write. `named` models are there whatever the server says, and alone if `is_complete`."""
    try:
        report = _ask(server)
    except InferenceError as error:
        _note_error(server, error)
        if named:
            _write_models(server, named)
        return Diagnosis(False, error.user_message)
    told = {model.remote_name: model for model in report.models}
    models = [told.get(model.remote_name, model) for model in named]
    if not is_complete:
        models += [model for model in report.models if model not in models]
    _note_answer(server, report.kind)
    # Some do not list what is deployed; what an administrator wrote down there stays.
    _write_models(server, models, is_all=is_complete or report.is_all)
    return Diagnosis(True, _describe(server, report))


def _ask(server: Server) -> ServerReport:
    if server.kind == ServerKind.QUOTES:
        return ServerReport(
            ServerKind.QUOTES, (FoundModel(QUOTES_NAME, Capability.CHAT, QUOTES_CONTEXT_TOKENS),)
        )
    return ask_server(endpoint_at(server, ""))


def _note_error(server: Server, error: InferenceError) -> None:
    sentence = str(error.user_message)[: Server._meta.get_field("last_error").max_length]
    Server.objects.filter(pk=server.pk).update(last_error=sentence)


def _note_answer(server: Server, kind: ServerKind) -> None:
    Server.objects.filter(pk=server.pk).update(kind=kind, last_seen_at=timezone.now(), last_error="")


def _write_models(
    server: Server, found: Sequence[FoundModel], *, is_all: bool = False, label: str = ""
) -> None:
    """Rows for the models of a server; those it no longer has go missing if `found` is all there is."""
    with transaction.atomic():
        for model in found:
            _write_model(server, model, label)
        if is_all:
            names = [model.remote_name for model in found]
            gone = server.deployments.filter(missing_since=None).exclude(remote_name__in=names)
            gone.update(missing_since=timezone.now())
        transaction.on_commit(forget_estate)


def _write_model(server: Server, found: FoundModel, label: str) -> None:
    # What an administrator edits afterwards (label, capabilities) is theirs; only what servers tell is renewed.
    told = list(found.capabilities) if found.capabilities else None
    model, _created = Model.objects.get_or_create(
        name=found.remote_name, defaults={"label": label, "capabilities": told or [found.capability]}
    )
    if found.dimensions and model.dimensions is None:
        Model.objects.filter(pk=model.pk).update(dimensions=found.dimensions)
    deployment, is_new = Deployment.objects.get_or_create(
        server=server,
        remote_name=found.remote_name,
        defaults={"model": model, "context_tokens": found.context_tokens, "capabilities": told},
    )
    before = deployment.context_tokens, deployment.capabilities
    if is_new or (deployment.missing_since is None and before == (found.context_tokens, told)):
        return
    if told and deployment.model.capabilities in (deployment.capabilities, [found.capability]):
        Model.objects.filter(pk=deployment.model_id).update(capabilities=told)
    Deployment.objects.filter(pk=deployment.pk).update(
        missing_since=None, context_tokens=found.context_tokens, capabilities=told
    )


def _describe(server: Server, report: ServerReport) -> Words:
    return format_lazy(
        ngettext_lazy(
            "“{server}” answers: {kind}, {count} model.",
            "“{server}” answers: {kind}, {count} models.",
            len(report.models),
        ),
        server=server.name,
        kind=report.kind.label,
        count=len(report.models),
    )
