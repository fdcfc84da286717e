"""The root of every error Parlour raises on purpose.

ParlourError
├── AccountsError
│   ├── NotAllowed        the actor may not do this
│   ├── NotFound          absent, or not visible to the actor: the same answer
│   ├── InvalidInput      a value breaks a rule that the database or a service knows
│   ├── EmailTaken        the address belongs to an account already
│   └── LastAdministrator the house would be left without one
├── inference.errors.InferenceError …
├── documents.errors.DocumentError …
├── characters.errors.CharacterError …
└── chat.errors.ChatError …

Boundaries (views, API, sockets, tasks) translate a ParlourError once: `code` is for programs, `user_message`
for people, `status` for HTTP, and `is_retryable` says whether the same call may succeed later.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


class ParlourError(Exception):
    """An expected failure with a code for programs and a sentence for people."""

    code = "error"
    status = 400
    is_retryable = False
    # For `Retry-After`, where it is known.
    retry_after_seconds: float | None = None
    user_message: Words = _("That did not work. Try again.")

    def __init__(self, user_message: Words | None = None, *, code: str | None = None) -> None:
        if user_message is not None:
            self.user_message = user_message
        if code is not None:
            self.code = code
        super().__init__(str(self.user_message))


class AccountsError(ParlourError):
    """Anything wrong with who somebody is or what they may do."""


class NotAllowed(AccountsError):
    code = "not_allowed"
    status = 403
    user_message = _("You are not allowed to do that.")


class NotFound(AccountsError):
    code = "not_found"
    status = 404
    user_message = _("That does not exist, or it is not yours to see.")


class InvalidInput(AccountsError):
    code = "invalid"
    status = 422
    user_message = _("That value cannot be used.")


class EmailTaken(AccountsError):
    code = "email_taken"
    status = 409
    user_message = _("That address already has an account. Sign in with it.")


class LastAdministrator(AccountsError):
    code = "last_administrator"
    status = 409
    user_message = _("Somebody must stay administrator. Name another one first.")
