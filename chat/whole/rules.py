"""What may be asked about which documents, and the words of a message that says no more than the task."""

import uuid
from collections.abc import Sequence

from django.utils.translation import gettext as _

from accounts.errors import NotFound
from accounts.models import User
from chat.errors import TaskInvalid
from chat.models import Task
from documents.models import Document

# More than these are a question for search.
DOCUMENTS_MOST = 8
COMPARED_DOCUMENTS = 2


def check_task(*, actor: User, task: Task, documents: Sequence[uuid.UUID], text: str) -> str:
    """The words of the message: the person's own, or the task in a sentence. Raises TaskInvalid, NotFound."""
    named = list(dict.fromkeys(documents))
    if task == Task.COMPARE and len(named) != COMPARED_DOCUMENTS:
        raise TaskInvalid(_("Choose the two documents to compare."))
    if not 1 <= len(named) <= DOCUMENTS_MOST:
        raise TaskInvalid
    names = dict(Document.objects.visible_to(actor).filter(pk__in=named).values_list("pk", "name"))
    if len(names) < len(named):
        raise NotFound(_("One of the documents does not exist, or is not yours to see."))
    return text.strip() or _sentence(task, [names[key] for key in named])


def _sentence(task: Task, names: Sequence[str]) -> str:
    quoted = [_("“%(name)s”") % {"name": name} for name in names]
    if task == Task.COMPARE:
        return _("Compare %(first)s and %(second)s.") % {"first": quoted[0], "second": quoted[1]}
    listed = ", ".join(quoted)
    if task == Task.KEY_FACTS:
        return _("List the key facts of %(names)s.") % {"names": listed}
    return _("Summarise %(names)s.") % {"names": listed}
