"""From rows to what the clients call: a deployment's server, its key and its address in one value.

Reads the key (`keys.resolve_key`), so it raises `KeyMissing`; touches neither network nor database.
"""

from dataclasses import replace

from inference.keys import is_signed_in, resolve_key
from inference.models import Server, ServerKind
from inference.types import Endpoint
from inference.wire.dialects import dialect_of


def endpoint_at(server: Server, remote_name: str, *, weight: int = 1) -> Endpoint:
    """Where `server` runs its model `remote_name`; raises `KeyMissing`."""
    takes_own_header = server.kind == ServerKind.AZURE_DATED and not is_signed_in(server.api_key_ref)
    return Endpoint(
        server_id=server.id,
        server_name=server.name,
        kind=server.kind,
        base_url=server.base_url,
        remote_name=remote_name,
        api_key=resolve_key(server.api_key_ref, server_name=server.name, kind=server.kind),
        key_header="api-key" if takes_own_header else "Authorization",
        api_version=server.api_version,
        weight=weight,
        can_continue=dialect_of(server.kind, server.base_url).can_continue,
    )


def own_api(endpoint: Endpoint) -> Endpoint:
    """The same server above its OpenAI API, where its kind's own API lies."""
    return replace(endpoint, base_url=endpoint.base_url.removesuffix("/v1"))
