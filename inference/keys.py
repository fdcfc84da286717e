"""From the reference to a server's key to the key itself. Rows hold the reference only, never the key.

The variable may hold a key, or the word `entra`: then the process signs in to Azure OpenAI with the identity that
it runs as (workload identity, managed identity, or the developer's own `az login`), and there is no key at all.
"""

import logging
import os
import re
from functools import cache
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidInput
from inference.errors import KeyMissing

if TYPE_CHECKING:
    from azure.identity import DefaultAzureCredential

logger = logging.getLogger(__name__)

ENVIRONMENT = "env:"
# Only variables made for this: whoever may add a server must not send it SECRET_KEY or the database's password.
_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*_)?API_KEY")
ENTRA = "entra"
# Azure OpenAI's and Microsoft Foundry's v1 API.
ENTRA_SCOPE = "https://ai.azure.com/.default"


def check_reference(reference: str) -> None:
    """Raise `InvalidInput` unless the reference is empty or of the one form there is."""
    if reference and not _REFERENCE.fullmatch(reference):
        raise InvalidInput(
            _(
                "Write where the key lives, not the key itself: env:NAME_API_KEY for the environment variable "
                "NAME_API_KEY. Other variables are not read."
            )
        )


def resolve_key(reference: str, *, server_name: str) -> str:
    """The key that `reference` leads to, "" without one; raises `KeyMissing`, which names what to set."""
    if not reference:
        return ""
    name = reference.removeprefix(ENVIRONMENT)
    key = os.environ.get(name, "").strip()
    if not key:
        raise KeyMissing(server_name, name)
    return _entra_token(server_name) if key == ENTRA else key


def _entra_token(server_name: str) -> str:
    """A token for some while yet; the credential keeps it and gets the next one in time."""
    from azure.core.exceptions import ClientAuthenticationError

    try:
        return _credential().get_token(ENTRA_SCOPE).token
    except ClientAuthenticationError as error:
        logger.warning("no Entra token for %s: %s", server_name, type(error).__name__)
        raise KeyMissing(server_name, "AZURE_CLIENT_ID") from error


@cache
def _credential() -> "DefaultAzureCredential":
    # Imported where it is needed: it takes longer than the rest of this app together, and a laptop needs none.
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()
