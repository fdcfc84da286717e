"""How a program proves who it acts for: `Authorization: Bearer <API key>`; and who a request acts for."""

from django.http import HttpRequest
from ninja.security import HttpBearer

from accounts.errors import NotAllowed
from accounts.models import User
from accounts.services import find_user_by_api_key


class ApiKeyAuth(HttpBearer):
    """Puts the key's owner on `request.user` and `request.auth`."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        user = find_user_by_api_key(token)
        if user is not None:
            request.user = user
        return user


def caller(request: HttpRequest) -> User:
    """The user whom an authenticated API request acts for."""
    if not isinstance(request.user, User):
        raise NotAllowed
    return request.user
