"""Collections, and who may read, fill and manage them. No IO here."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from documents.lending import lent_to

if TYPE_CHECKING:
    from accounts.models import User


class CollectionKind(models.TextChoices):
    LIBRARY = "library", _("Library")
    """Everybody's own: where an upload goes that names no collection."""
    NAMED = "named", _("Collection")
    CHAT = "chat", _("Chat")
    """The files of one conversation."""
    INBOX = "inbox", _("Waiting for a chat")
    """Files that were put into the composer of a chat and not sent yet."""


CHAT_KINDS = (CollectionKind.CHAT, CollectionKind.INBOX)


class AccessLevel(models.TextChoices):
    """What a grant allows; each level includes those before it."""

    READ = "read", _("Can read")
    WRITE = "write", _("Can add and delete")
    MANAGE = "manage", _("Can manage")


class CollectionQuerySet(models.QuerySet["Collection"]):
    def visible_to(self, user: "User") -> "CollectionQuerySet":
        """The collections this user may read: their own, and those granted to them or to a group of theirs."""
        return self._within_reach(user, (AccessLevel.READ, AccessLevel.WRITE, AccessLevel.MANAGE))

    def readable_by(self, user: "User") -> "CollectionQuerySet":
        """The visible ones, and those lent to whoever talks to a character: read when named, never listed."""
        return self.filter(Q(pk__in=self.model.objects.visible_to(user)) | lent_to(user))

    def writable_by(self, user: "User") -> "CollectionQuerySet":
        """The collections this user may add documents to and delete them from."""
        return self._within_reach(user, (AccessLevel.WRITE, AccessLevel.MANAGE))

    def manageable_by(self, user: "User") -> "CollectionQuerySet":
        """The collections this user may rename, share and delete."""
        return self._within_reach(user, (AccessLevel.MANAGE,))

    def _within_reach(self, user: "User", levels: Sequence[str]) -> "CollectionQuerySet":
        grants = CollectionGrant.objects.reaching(user).filter(level__in=levels)
        return self.filter(Q(owner=user) | Q(pk__in=grants.values("collection")))


class Collection(models.Model):
    """A named set of documents that can be searched together."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="collections")
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=20, choices=CollectionKind, default=CollectionKind.NAMED)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=Q(kind="library"), name="collection_one_library_per_owner"
            ),
            models.UniqueConstraint(
                fields=["owner"], condition=Q(kind="inbox"), name="collection_one_inbox_per_owner"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CollectionGrantQuerySet(models.QuerySet["CollectionGrant"]):
    def reaching(self, user: "User") -> "CollectionGrantQuerySet":
        """The grants to this user, and to groups of theirs."""
        return self.filter(Q(user=user) | Q(group__user=user))


class CollectionGrant(models.Model):
    """One person's or one group's access to a collection that is not theirs."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    level = models.CharField(_("access"), max_length=10, choices=AccessLevel, default=AccessLevel.READ)

    objects = CollectionGrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user=None, group__isnull=False) | Q(user__isnull=False, group=None),
                name="grant_to_a_user_or_a_group",
            ),
            models.UniqueConstraint(fields=["collection", "user"], name="grant_once_per_user"),
            models.UniqueConstraint(fields=["collection", "group"], name="grant_once_per_group"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id or self.group_id}: {self.level}"
