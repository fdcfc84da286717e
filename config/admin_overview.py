"""What the administration's first page shows: what needs somebody, and the figures that say how the house does.

Reads only, a handful of counts; the pages behind them belong to each room's admin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from chat.models import Reply, ReplyStatus
from documents.models import Document, DocumentStatus
from inference.estate.health import read_health
from inference.models import Capability, Model, Server, ServerKind

WEEK = timedelta(days=7)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Concern:
    """One sentence about something that will not mend itself, and where to look."""

    tone: str
    text: str
    verb: str = ""
    url: str = ""


@dataclass(frozen=True)
class Figure:
    name: str
    value: int
    note: str
    url: str


@dataclass(frozen=True)
class Overview:
    concerns: Sequence[Concern]
    figures: Sequence[Figure]


def read_overview(now: datetime | None = None) -> Overview:
    """The overview as of `now`."""
    now = now or timezone.now()
    return Overview(
        concerns=[*_find_server_concerns(), *_find_document_concerns()],
        figures=[
            _count_people(now),
            _count_replies(now),
            _count_documents(),
            _count_models(),
            _count_servers(),
        ],
    )


def _find_server_concerns() -> list[Concern]:
    concerns = [
        Concern(
            "danger",
            _("%(server)s does not answer: %(error)s") % {"server": server.name, "error": server.last_error},
            _("Look after it"),
            reverse("admin:inference_care", args=[server.pk]),
        )
        for server in Server.objects.filter(is_enabled=True).exclude(last_error="")
    ]
    chat_models = Model.objects.enabled().with_capability(Capability.CHAT)
    if not chat_models.exclude(deployments__server__kind=ServerKind.QUOTES).exists():
        text = _(
            "No language model is connected: answers are quotes from documents. "
            "Set INFERENCE_URL, or add a server here."
        )
        concerns.append(Concern("warning", text, _("Add a server"), _admin_url(Server, action="add")))
    return concerns


def _find_document_concerns() -> list[Concern]:
    failed = Document.objects.filter(status=DocumentStatus.FAILED).count()
    if not failed:
        return []
    text = ngettext("%(n)d document failed.", "%(n)d documents failed.", failed) % {"n": failed}
    return [
        Concern(
            "warning", text, _("See why"), f"{_admin_url(Document)}?status__exact={DocumentStatus.FAILED}"
        )
    ]


def _count_people(now: datetime) -> Figure:
    people = User.objects.aggregate(total=Count("pk"), new=Count("pk", filter=Q(created_at__gte=now - WEEK)))
    note = ngettext("%(n)d joined this week", "%(n)d joined this week", people["new"]) % {"n": people["new"]}
    return Figure(_("People"), people["total"], note, _admin_url(User))


def _count_replies(now: datetime) -> Figure:
    replies = Reply.objects.filter(created_at__gte=now - DAY).aggregate(
        total=Count("pk"), failed=Count("pk", filter=Q(status=ReplyStatus.FAILED))
    )
    failed = replies["failed"]
    note = ngettext("%(n)d failed", "%(n)d failed", failed) % {"n": failed} if failed else _("none failed")
    return Figure(_("Replies in 24 hours"), replies["total"], note, _admin_url(Reply))


def _count_documents() -> Figure:
    documents = Document.objects.aggregate(
        total=Count("pk"), waiting=Count("pk", filter=~Q(status__in=["ready", "failed"]))
    )
    waiting = documents["waiting"]
    note = (
        ngettext("%(n)d being read", "%(n)d being read", waiting) % {"n": waiting}
        if waiting
        else _("all read")
    )
    return Figure(_("Documents"), documents["total"], note, _admin_url(Document))


def _count_models() -> Figure:
    default = Model.objects.filter(is_default=True, is_enabled=True).first()
    note = _("default: %(name)s") % {"name": default} if default else _("no default chosen")
    return Figure(_("Models"), Model.objects.enabled().count(), note, _admin_url(Model))


def _count_servers() -> Figure:
    estate = read_health()
    silent = sum(1 for server in estate.servers if server.state in {"failing", "silent"})
    notes = [
        ngettext("%(n)d does not answer", "%(n)d do not answer", silent) % {"n": silent} if silent else "",
        ngettext("%(n)d request waits", "%(n)d requests wait", estate.waiting) % {"n": estate.waiting}
        if estate.waiting
        else "",
    ]
    note = ", ".join(filter(None, notes)) or _("all answer, nobody waits")
    return Figure(_("Servers that answer"), estate.ready, note, reverse("admin:inference_health"))


def _admin_url(
    model: type[User | Reply | Document | Model | Server], pk: object = None, action: str = "changelist"
) -> str:
    """The admin's page for a model or one row of it; empty where no admin is registered."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{'change' if pk else action}"
    try:
        return reverse(name, args=[pk] if pk else [])
    except NoReverseMatch:
        return ""
