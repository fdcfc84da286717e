"""The page that takes a SillyTavern folder and shows what became of it."""

from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.errors import ParlourError
from accounts.models import User
from chat.models import FolderImport
from chat.sillytavern.services import send_folder

_SHOWN = 5
_KINDS = ("character", "lorebook", "persona", "chat")


@login_required
@require_http_methods(["GET", "POST"])
def show_import(request: HttpRequest) -> HttpResponse:
    """The form, and the person's newest imports with their reports."""
    assert isinstance(request.user, User)
    problem = ""
    upload = request.FILES.get("file")
    if request.method == "POST" and isinstance(upload, UploadedFile):
        try:
            send_folder(actor=request.user, upload=upload)
            return redirect("chat:import")
        except ParlourError as error:
            problem = str(error.user_message)
    rows = list(FolderImport.objects.filter(owner=request.user)[:_SHOWN])
    context = {
        "imports": [{"row": row, "counts": _count(row)} for row in rows],
        "is_running": any(not row.is_final for row in rows),
        "problem": problem,
    }
    return render(request, "chat/import.html", context, status=422 if problem else 200)


def _count(row: FolderImport) -> list[tuple[str, int, int, int]]:
    """For each kind: how many came in, were here, and stayed out."""

    def number(kind: str, state: str) -> int:
        return sum(line["kind"] == kind and line["state"] == state for line in row.lines)

    return [(kind, number(kind, "in"), number(kind, "here"), number(kind, "out")) for kind in _KINDS]
