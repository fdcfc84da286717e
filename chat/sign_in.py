"""Who is behind a socket or a streaming request: a session cookie from this very site, or an API key."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from accounts.models import User
from accounts.services import find_user_by_api_key

Headers = Mapping[bytes, bytes]
_sessions = import_module(settings.SESSION_ENGINE)


def read_headers(scope: Mapping[str, Any]) -> dict[bytes, bytes]:
    """The headers of an ASGI scope by lower-case name."""
    return dict(scope.get("headers", ()))


def find_user(headers: Headers) -> User | None:
    """The signed-in, active user these headers prove, or None.

    A key is proof wherever it is sent from. A cookie is sent by the browser for any page that asks, so it counts
    only when the page is ours: the Origin header must name this host.
    """
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer":
        return find_user_by_api_key(token.strip())
    if not is_same_origin(headers):
        return None
    session_key = _session_key(headers)
    if not session_key:
        return None
    request = HttpRequest()
    request.session = _sessions.SessionStore(session_key)
    user = get_user(request)
    return user if isinstance(user, User) and user.is_active else None


def is_same_origin(headers: Headers) -> bool:
    """Whether the Origin header names the host that was asked."""
    origin = urlsplit(headers.get(b"origin", b"").decode("latin-1"))
    host = headers.get(b"host", b"").decode("latin-1")
    return origin.scheme in {"http", "https"} and bool(host) and origin.netloc.lower() == host.lower()


def _session_key(headers: Headers) -> str:
    try:
        cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return ""
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else ""
