"""From the reference to a server's key to the key itself. Rows hold the reference only, never the key.

A reference names an environment variable, which holds a key or the word `entra`; or it is that word itself. Then the
process signs in to Azure with the identity that it runs as (workload identity, managed identity, or the developer's
own `az login`), and there is no key at all.
"""

import logging
import os
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidInput
from inference.errors import KeyMissing
from inference.models import ServerKind

if TYPE_CHECKING:
    from azure.identity import DefaultAzureCredential

logger = logging.getLogger(__name__)

ENVIRONMENT = "env:"
# Only variables made for this: whoever may add a server must not send it SECRET_KEY or the database's password.
_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*_)?API_KEY")
ENTRA = "entra"
# Azure OpenAI's and Microsoft Foundry's v1 API; the dated API and Azure ML have audiences of their own.
ENTRA_SCOPE = "https://ai.azure.com/.default"
_SCOPES: Mapping[str, str] = MappingProxyType(
    {
        ServerKind.AZURE_DATED: "https://cognitiveservices.azure.com/.default",
        ServerKind.AZURE_ML: "https://ml.azure.com/.default",
    }
)
# Hosts that only Microsoft can hand out; a token of ours goes nowhere else unless the environment says so.
ENTRA_HOSTS = (
    ".openai.azure.com",
    ".services.ai.azure.com",
    ".cognitiveservices.azure.com",
    ".inference.ml.azure.com",
    ".openai.azure.us",
    ".cognitiveservices.azure.us",
    ".openai.azure.cn",
)


def check_reference(reference: str, *, base_url: str = "") -> None:
    """Raise `InvalidInput` unless the reference is empty or of one of the two forms there are."""
    if reference == ENTRA:
        parts = urlsplit(base_url)
        if parts.scheme != "https" or not (parts.hostname or "").endswith(ENTRA_HOSTS):
            raise InvalidInput(
                _(
                    "Parlour signs in with its own identity only at Azure's hosts, over https. For another "
                    "address write env:NAME_API_KEY, and set that variable to entra."
                )
            )
        return
    if reference and not _REFERENCE.fullmatch(reference):
        raise InvalidInput(
            _(
                "Write where the key lives, not the key itself: env:NAME_API_KEY for the environment variable "
                "NAME_API_KEY. Other variables are not read."
            )
        )


def resolve_key(reference: str, *, server_name: str, kind: str = "") -> str:
    """The key that `reference` leads to, "" without one; raises `KeyMissing`, which names what to set.

    For an identity it is a token for the audience that the `kind` of server asks for.
    """
    if not reference:
        return ""
    if is_signed_in(reference):
        return _entra_token(server_name, _SCOPES.get(kind, ENTRA_SCOPE))
    name = reference.removeprefix(ENVIRONMENT)
    key = os.environ.get(name, "").strip()
    if not key:
        raise KeyMissing(server_name, name)
    return key


def is_signed_in(reference: str) -> bool:
    """Whether the reference leads to an identity rather than to a key."""
    return reference == ENTRA or (
        reference.startswith(ENVIRONMENT)
        and os.environ.get(reference.removeprefix(ENVIRONMENT), "").strip() == ENTRA
    )


def _entra_token(server_name: str, scope: str) -> str:
    """A token for some while yet; the credential keeps it and gets the next one in time."""
    from azure.core.exceptions import ClientAuthenticationError

    try:
        return _credential().get_token(scope).token
    except ClientAuthenticationError as error:
        logger.warning("no Entra token for %s: %s", server_name, type(error).__name__)
        raise KeyMissing(server_name, "AZURE_CLIENT_ID") from error


@cache
def _credential() -> "DefaultAzureCredential":
    # Imported where it is needed: it takes longer than the rest of this app together, and a laptop needs none.
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()
