"""Which models there are and where they run, read as one snapshot of the estate.

`resolve_model` is on the way of every message, so the snapshot (servers, models, limits) is kept for a few seconds per
process. Writes in this process drop it at once (`forget_estate`); others follow within `ESTATE_SECONDS`.
"""

import threading
import time
import uuid
from dataclasses import dataclass, replace

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from inference.endpoints import endpoint_at
from inference.errors import InferenceError, ModelUnavailable
from inference.models import Deployment, Model, Server, ServerKind
from inference.routing.rules import read_rules, rules_for_model
from inference.types import Endpoint, LimitRule, ModelSummary, ModelTarget

# Long enough to save the query under load, short enough that an administrator's change seems immediate.
ESTATE_SECONDS = 5.0
# What the snapshot lacks is looked for anew, but not more often than this, however often it is asked for.
MISS_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Offer:
    """A model of the snapshot; `problem` stands where every server of it lacks its key."""

    summary: ModelSummary
    target: ModelTarget | None
    problem: InferenceError | None
    is_quotes: bool
    dimensions: int | None
    # Whose it is; None for everyone.
    group_ids: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class _Estate:
    offers: dict[str, _Offer]
    rules: tuple[LimitRule, ...]
    read_at: float
    has_restricted: bool


# No row has it: for the limits that count every model.
_NO_MODEL = uuid.UUID(int=0)

_estate: _Estate | None = None
_lock = threading.Lock()


def resolve_model(name: str | None, *, capability: str = "chat", user: User | None = None) -> ModelTarget:
    """The model called `name`, or the default one for None, with every endpoint that runs it.

    `user` is who asks, and sees no model that is for groups of others; None is the house itself, which sees all.
    The default of a capability is the model marked so if it has it, else the first by name, else for chat the
    built-in quotes. Raises `ModelUnavailable`, or `KeyMissing` where only a key stands in the way.
    """
    offer = _find_offer(_offers_for(user, _read_estate()), name, capability)
    if offer is None:
        # It may have been registered a moment ago, by another process: that is worth a fresh look.
        fresh = _read_estate(at_most_seconds_old=MISS_SECONDS)
        offer = _find_offer(_offers_for(user, fresh), name, capability)
    if offer is None:
        raise _unavailable(name)
    if offer.target is None:
        raise offer.problem or _unavailable(name)
    return offer.target


def list_chat_models(user: User | None = None) -> list[ModelSummary]:
    """The models that this person can choose: the default first, then by name, the built-in quotes last."""
    return list_models(user, capability="chat")


def list_models(user: User | None = None, *, capability: str | None = None) -> list[ModelSummary]:
    """The models that this person may use, those with one capability or all of them, in the same order."""
    offers = _offers_for(user, _read_estate())
    default = _default_offer(offers, capability or "chat")
    listed = [
        offer for offer in offers.values() if capability is None or capability in offer.summary.capabilities
    ]
    listed.sort(key=lambda offer: (offer is not default, offer.is_quotes, offer.summary.name.lower()))
    return [
        ModelSummary(
            id=offer.summary.id,
            name=offer.summary.name,
            label=offer.summary.label,
            capabilities=offer.summary.capabilities,
            is_default=offer is default,
            context_tokens=offer.summary.context_tokens,
        )
        for offer in listed
    ]


def has_language_model() -> bool:
    """Whether any model but the built-in quotes can chat now."""
    offers = _read_estate().offers.values()
    return any("chat" in offer.summary.capabilities and not offer.is_quotes for offer in offers)


def embedding_dimensions(name: str) -> int | None:
    """The vector length of the embedding model called `name`, if it is known yet."""
    offer = _read_estate().offers.get(name)
    return offer.dimensions if offer else None


def limits_on(model_name: str) -> tuple[LimitRule, ...]:
    """The limits that count the use of this model, offered now or not."""
    estate = _read_estate()
    offer = estate.offers.get(model_name)
    return (
        rules_for_model(estate.rules, offer.summary.id) if offer else rules_for_model(estate.rules, _NO_MODEL)
    )


def forget_estate() -> None:
    """Read the rows anew at the next question; called after every write to servers and models."""
    global _estate
    _estate = None


def _offers_for(user: User | None, estate: _Estate) -> dict[str, _Offer]:
    """What this person may use; their groups are read only where some model is not for everyone."""
    if user is None or user.is_superuser or not estate.has_restricted:
        return estate.offers
    theirs = set(user.groups.values_list("pk", flat=True))
    return {
        name: offer
        for name, offer in estate.offers.items()
        if offer.group_ids is None or offer.group_ids & theirs
    }


def _find_offer(offers: dict[str, _Offer], name: str | None, capability: str) -> _Offer | None:
    offer = offers.get(name) if name else _default_offer(offers, capability)
    return offer if offer is not None and capability in offer.summary.capabilities else None


def _read_estate(*, at_most_seconds_old: float = ESTATE_SECONDS) -> _Estate:
    global _estate
    now = time.monotonic()
    estate = _estate
    if estate is not None and now - estate.read_at < at_most_seconds_old:
        return estate
    with _lock:
        # Another thread may have read it while this one waited.
        if _estate is None or now - _estate.read_at >= at_most_seconds_old:
            rules = read_rules()
            offers = _load_offers(rules)
            has_restricted = any(offer.group_ids is not None for offer in offers.values())
            _estate = _Estate(offers, rules, time.monotonic(), has_restricted)
        return _estate


def _load_offers(rules: tuple[LimitRule, ...]) -> dict[str, _Offer]:
    rows = (
        Deployment.objects.filter(
            is_enabled=True, missing_since=None, server__is_enabled=True, model__is_enabled=True
        )
        .select_related("model", "server")
        .order_by("model__name", "server__name", "id")
    )
    by_model: dict[Model, list[Deployment]] = {}
    for deployment in rows:
        by_model.setdefault(deployment.model, []).append(deployment)
    groups = _groups_of([model for model in by_model if model.is_restricted])
    return {
        model.name: _offer(model, deployments, rules, groups.get(model.pk))
        for model, deployments in by_model.items()
    }


def _groups_of(restricted: list[Model]) -> dict[uuid.UUID, frozenset[int]]:
    if not restricted:
        return {}
    groups: dict[uuid.UUID, set[int]] = {model.pk: set() for model in restricted}
    pairs = Model.groups.through.objects.filter(model__in=restricted)
    for model_id, group_id in pairs.values_list("model_id", "group_id"):
        groups[model_id].add(group_id)
    return {model_id: frozenset(ids) for model_id, ids in groups.items()}


def _offer(
    model: Model,
    deployments: list[Deployment],
    rules: tuple[LimitRule, ...],
    group_ids: frozenset[int] | None,
) -> _Offer:
    endpoints: list[Endpoint] = []
    problem: InferenceError | None = None
    for deployment in deployments:
        try:
            endpoints.append(_endpoint(deployment, deployment.server))
        except InferenceError as error:
            problem = error
    told = [deployment.context_tokens for deployment in deployments if deployment.context_tokens]
    context_tokens = model.context_tokens or min(told, default=None)
    summary = ModelSummary(
        id=model.id,
        name=model.name,
        label=model.label or model.name,
        capabilities=tuple(model.capabilities),
        is_default=model.is_default,
        context_tokens=context_tokens,
    )
    target = ModelTarget(
        id=model.id,
        name=model.name,
        label=summary.label,
        capabilities=frozenset(model.capabilities),
        context_tokens=context_tokens,
        endpoints=tuple(endpoints),
        slots=model.slots,
        cache_seconds=model.cache_seconds,
        limits=rules_for_model(rules, model.id),
    )
    return _Offer(
        summary=summary,
        target=target if endpoints else None,
        problem=problem,
        is_quotes=all(deployment.server.kind == ServerKind.QUOTES for deployment in deployments),
        dimensions=model.dimensions,
        group_ids=group_ids,
    )


def _endpoint(deployment: Deployment, server: Server) -> Endpoint:
    return replace(
        endpoint_at(server, deployment.remote_name, weight=deployment.weight),
        deployment=str(deployment.id),
        slots=deployment.slots,
        context_tokens=deployment.model.context_tokens or deployment.context_tokens,
        defaults=deployment.model.defaults,
    )


def _default_offer(offers: dict[str, _Offer], capability: str) -> _Offer | None:
    able = [offer for offer in offers.values() if capability in offer.summary.capabilities]
    return min(
        able,
        key=lambda offer: (not offer.summary.is_default, offer.is_quotes, offer.summary.name.lower()),
        default=None,
    )


def _unavailable(name: str | None) -> ModelUnavailable:
    if name is None:
        return ModelUnavailable()
    return ModelUnavailable(
        format_lazy(_("The model “{name}” is not available now. Choose another one."), name=name)
    )
