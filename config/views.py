"""What is answered when something else cannot be: error pages, the CSRF page, the offline page.

Under /api/ and /v1/ the same errors are JSON, `{"error": {"code", "type", "message"}}`. Error pages need no database,
no session and no signed-in user: they must come when those are what failed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.errors import ParlourError, Words
from config.templatetags.assets import AssetsNotBuilt

API_PREFIXES = ("/api/", "/v1/")


@dataclass(frozen=True)
class ErrorWords:
    """What an error page says: `code` for programs, the rest for people."""

    code: str
    title: Words
    message: Words


BAD_REQUEST = ErrorWords(
    "bad_request",
    _("That request made no sense here"),
    _("Something in the address or the form could not be read. Go back, check it and send it again."),
)
NOT_ALLOWED = ErrorWords(
    "not_allowed",
    _("This room is closed to you"),
    _(
        "Your account may not open this page. Ask an administrator for access, or sign in with another account."
    ),
)
FORM_OUTDATED = ErrorWords(
    "csrf",
    _("That form was out of date"),
    _(
        "It was open for a long time, or this browser blocks cookies. Go back, reload the page and send it again."
    ),
)
NOT_FOUND = ErrorWords(
    "not_found",
    _("There is nothing here"),
    _("The page may have been deleted, or the address is not quite right, or it belongs to somebody else."),
)
TOO_LARGE = ErrorWords(
    "too_large",
    _("That was too large"),
    _("It is more than this server accepts at once. Send less, or upload it as a document."),
)
SERVER_ERROR = ErrorWords(
    "server_error",
    _("Something broke on our side"),
    _("It has been noted. Nothing you saved is lost. Try again in a moment."),
)
REFUSED = _("That could not be done")


def answer_error(request: HttpRequest, status: int, words: ErrorWords) -> HttpResponse:
    """The error as JSON for programs, as a page in the house's layout for people."""
    if request.path.startswith(API_PREFIXES):
        error = {"code": words.code, "type": words.code, "message": str(words.message)}
        return JsonResponse({"error": error}, status=status)
    # Without the request's context processors, which ask the database who is signed in.
    context = {"request": request, "status": status, "words": words}
    try:
        return HttpResponse(render_to_string("error.html", context), status=status)
    except AssetsNotBuilt as error:
        return HttpResponse(
            f"{words.title}. {words.message}\n\n{error}\n", status=status, content_type="text/plain"
        )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return answer_error(request, 413, TOO_LARGE)
    return answer_error(request, 400, BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_error(request, 403, NOT_ALLOWED)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer_error(request, 403, FORM_OUTDATED)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_error(request, 404, NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    return answer_error(request, 500, SERVER_ERROR)


class ErrorPages:
    """Middleware: a ParlourError that a page raises becomes that error's page, with its own sentence."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, ParlourError):
            return None
        title = {403: NOT_ALLOWED.title, 404: NOT_FOUND.title, 413: TOO_LARGE.title}.get(
            exception.status, REFUSED
        )
        return answer_error(
            request, exception.status, ErrorWords(exception.code, title, exception.user_message)
        )


@require_safe
@cache_control(no_cache=True)
def offline(request: HttpRequest) -> HttpResponse:
    """The page that the service worker keeps for when the server cannot be reached."""
    return HttpResponse(render_to_string("offline.html", {"request": request}))


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """The service worker, at the root because a worker serves the pages below its own path."""
    return render(request, "service-worker.js", content_type="text/javascript")
