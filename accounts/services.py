"""What happens to accounts: every write goes through a verb here.

Signing in and out, password rules, two-step sign-in and OpenID Connect are allauth's; `accounts.adapter` leads it
here for what it writes.
"""

import hashlib
import secrets
import uuid
from collections.abc import Sequence

from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import record
from accounts.errors import EmailTaken, InvalidInput, LastAdministrator, NotAllowed, NotFound
from accounts.models import ApiKey, User

KEY_PREFIX = "pk-"
# How stale `last_used_at` may be: a write on every request would cost more than the answer is worth.
LAST_USED_PRECISION_SECONDS = 300
_KEY_COLUMNS, _USER_COLUMNS = (
    [field.attname for field in model._meta.concrete_fields] for model in (ApiKey, User)
)
_ACTIVE_KEYS = (
    f"SELECT {', '.join(f'k.{name}' for name in _KEY_COLUMNS)}, {', '.join(f'u.{name}' for name in _USER_COLUMNS)}"  # noqa: S608 - our own names
    " FROM accounts_apikey k JOIN accounts_user u ON u.id = k.user_id"
    " WHERE k.key_hash = ANY (%s) AND k.revoked_at IS NULL AND u.is_active"
)
# PostgreSQL's advisory locks are numbers; this one guards who the administrators are. "parlour1" in ASCII.
_ADMINISTRATORS_LOCK = int.from_bytes(b"parlour1")


def _lock_administrators() -> None:
    # Until the transaction ends: two people who sign up at once, or two administrators who demote each other,
    # must see each other's rows.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADMINISTRATORS_LOCK])


def register_user(*, user: User) -> User:
    """The new user, saved; while the house has no administrator, whoever signs up becomes it.

    Raises `EmailTaken` if the address was registered in the meantime.
    """
    try:
        with transaction.atomic():
            _lock_administrators()
            if not User.objects.filter(is_superuser=True).exists():
                user.is_staff = user.is_superuser = True
            user.save(force_insert=True)
            record(actor=user, verb="sign up", target=user)
    except IntegrityError as error:
        raise EmailTaken from error
    return user


def find_or_create_user(*, email: str) -> User:
    """The user of this address; a new one has no password and no rights beyond its own things."""
    address = email.strip().lower()
    with transaction.atomic():
        user, is_new = User.objects.get_or_create(email=address, defaults={"password": "!"})
        if is_new:
            user.set_unusable_password()
            user.save(update_fields=["password"])
            record(actor=None, verb="create user", target=user)
    return user


@transaction.atomic
def update_profile(*, actor: User, name: str) -> User:
    """The actor under a new name; an empty one falls back to the address."""
    actor.name = " ".join(name.split())
    actor.save(update_fields=["name"])
    return actor


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Set a password that has passed the validators; sessions elsewhere end, because their hash no longer fits."""
    user.set_password(password)
    user.save(update_fields=["password"])
    record(actor=user, verb="change password", target=user)


@transaction.atomic
def administer_user(*, actor: User, user: User, changed: Sequence[str], is_new: bool = False) -> User:
    """Save what an administrator changed about somebody. Only an administrator names another one."""
    if not actor.has_perm("accounts.add_user" if is_new else "accounts.change_user"):
        raise NotAllowed
    rights = {"is_superuser", "is_staff", "groups", "user_permissions"}
    if not actor.is_superuser and (rights & set(changed) or user.is_superuser):
        raise NotAllowed(_("Only an administrator may change what people are allowed to do."))
    _lock_administrators()
    if not (user.is_superuser and user.is_active):
        _keep_one_administrator(without=[user.pk])
    user.save()
    if is_new or "email" in changed:
        # allauth keeps addresses in rows of its own, and would let the old one sign in.
        EmailAddress.objects.filter(user=user).delete()
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    record(actor=actor, verb="create user" if is_new else _describe_change(changed), target=user)
    return user


@transaction.atomic
def delete_users(*, actor: User, user_ids: Sequence[uuid.UUID]) -> None:
    """Delete people with all they own. The last administrator stays."""
    if not actor.has_perm("accounts.delete_user"):
        raise NotAllowed
    _lock_administrators()
    users = list(User.objects.filter(pk__in=user_ids))
    if not actor.is_superuser and any(user.is_superuser for user in users):
        raise NotAllowed(_("Only an administrator may delete an administrator."))
    _keep_one_administrator(without=[user.pk for user in users])
    for user in users:
        record(actor=actor, verb="delete user", target=user)
        user.delete()


def _keep_one_administrator(*, without: Sequence[uuid.UUID]) -> None:
    administrators = User.objects.filter(is_superuser=True, is_active=True)
    if administrators.filter(pk__in=without).exists() and not administrators.exclude(pk__in=without).exists():
        raise LastAdministrator


def _describe_change(changed: Sequence[str]) -> str:
    # The audit's verb has room for 60 characters.
    return f"change user: {', '.join(changed)}"[:60] if changed else "change user"


def hash_key(key: str) -> str:
    """What is kept of a key. It is 256 random bits, so a fast hash is as safe as a slow one."""
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def create_api_key(*, actor: User, name: str) -> tuple[ApiKey, str]:
    """A new key of the actor, as its row and the key itself, which is shown now and never again."""
    label = " ".join(name.split())
    if not label:
        raise InvalidInput(_("Give the key a name, so that you know it again."))
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    row = ApiKey.objects.create(user=actor, name=label[:120], prefix=key[:9], key_hash=hash_key(key))
    record(actor=actor, verb="create API key", target=row)
    return row, key


@transaction.atomic
def revoke_api_key(*, actor: User, key_id: uuid.UUID) -> ApiKey:
    """The key, dead from now on. One's own, or anybody's for those who may change keys. Twice is harmless."""
    keys = (
        ApiKey.objects.all() if actor.has_perm("accounts.change_apikey") else ApiKey.objects.visible_to(actor)
    )
    row = keys.select_for_update().filter(pk=key_id).first()
    if row is None:
        raise NotFound
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        record(actor=actor, verb="revoke API key", target=row)
    return row


def find_user_by_api_key(key: str) -> User | None:
    """The active owner of an unrevoked key, who acts with it, or None. One query; every socket and API request
    asks it."""
    row = find_api_keys([key]).get(key)
    return row.user if row is not None else None


def find_api_keys(keys: Sequence[str]) -> dict[str, ApiKey]:
    """The rows of those keys that are unrevoked and whose owner is active, with the owner. One query for all.

    In words of our own, as every request of a program asks it: put together by Django each time it took 3.3 ms of
    the 14 that a small upload cost.
    """
    hashes = {hash_key(key): key for key in keys if key.startswith(KEY_PREFIX)}
    if not hashes:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVE_KEYS, [list(hashes)])
        rows = cursor.fetchall()
    found: dict[str, ApiKey] = {}
    for values in rows:
        row = ApiKey.from_db(None, _KEY_COLUMNS, values[: len(_KEY_COLUMNS)])
        row.user = User.from_db(None, _USER_COLUMNS, values[len(_KEY_COLUMNS) :])
        row.user.acting_key_id = row.pk
        found[hashes[row.key_hash]] = row
    now = timezone.now()
    stale = [
        row.pk
        for row in found.values()
        if row.last_used_at is None or (now - row.last_used_at).total_seconds() > LAST_USED_PRECISION_SECONDS
    ]
    if stale:
        ApiKey.objects.filter(pk__in=stale).update(last_used_at=now)
    return found
