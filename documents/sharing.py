"""Who else may use a collection: grants to people and to groups, given by those who manage it."""

import uuid
from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from accounts import audit
from accounts.errors import InvalidInput, NotFound
from accounts.models import User
from documents.models import AccessLevel, Collection, CollectionGrant, CollectionKind
from documents.queries import find_manageable_collection

OWNER = "owner"
_RANK = {level: rank for rank, level in enumerate(AccessLevel.values)}


def list_grants(*, actor: User, collection_id: uuid.UUID) -> list[CollectionGrant]:
    """Who has access besides the owner, people first."""
    collection = find_manageable_collection(actor=actor, collection_id=collection_id)
    return list(collection.grants.select_related("user", "group").order_by("group__name", "user__email"))


def groups_to_share_with(user: User) -> QuerySet[Group]:
    """The groups a person may name: their own; an administrator any."""
    groups = Group.objects.order_by("name")
    return groups if user.is_staff else groups.filter(user=user)


def grant_access(
    *, actor: User, collection_id: uuid.UUID, level: str, email: str = "", group_id: int | None = None
) -> CollectionGrant:
    """One person (by address) or one group may use the collection at this level from now on."""
    collection = find_manageable_collection(actor=actor, collection_id=collection_id)
    if collection.kind != CollectionKind.NAMED:
        raise InvalidInput(gettext("Only collections can be shared. Put the documents into one first."))
    if level not in AccessLevel.values:
        raise InvalidInput(gettext("Access is one of: read, write, manage."))
    target = _find_target(actor, email=email, group_id=group_id)
    if isinstance(target, User) and target == collection.owner:
        raise InvalidInput(gettext("The collection belongs to this person already."))
    with transaction.atomic():
        user, group = (target, None) if isinstance(target, User) else (None, target)
        grant, _ = CollectionGrant.objects.update_or_create(
            collection=collection, user=user, group=group, defaults={"level": level}
        )
        audit.record(actor=actor, verb="share_collection", target=collection)
    return grant


def revoke_access(*, actor: User, collection_id: uuid.UUID, grant_id: int) -> None:
    """The person or group of this grant may no longer use the collection."""
    collection = find_manageable_collection(actor=actor, collection_id=collection_id)
    with transaction.atomic():
        if not collection.grants.filter(pk=grant_id).delete()[0]:
            raise NotFound
        audit.record(actor=actor, verb="unshare_collection", target=collection)


def access_levels(*, user: User, collections: Iterable[Collection]) -> dict[uuid.UUID, str]:
    """What the user may do with each: `owner`, or the highest level granted; absent where nothing is."""
    rows = list(collections)
    levels = {row.pk: OWNER for row in rows if row.owner_id == user.pk}
    others = [row.pk for row in rows if row.owner_id != user.pk]
    grants = CollectionGrant.objects.reaching(user).filter(collection__in=others)
    for collection_id, level in grants.values_list("collection", "level"):
        known = levels.get(collection_id)
        if known is None or _RANK[level] > _RANK[known]:
            levels[collection_id] = level
    return levels


def _find_target(actor: User, *, email: str, group_id: int | None) -> User | Group:
    if bool(email.strip()) == (group_id is not None):
        raise InvalidInput(gettext("Name one person by their email address, or one group."))
    if group_id is not None:
        group = groups_to_share_with(actor).filter(pk=group_id).first()
        if group is None:
            raise InvalidInput(gettext("There is no such group among yours."))
        return group
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        raise InvalidInput(gettext("Nobody here signs in with that address."))
    return user
