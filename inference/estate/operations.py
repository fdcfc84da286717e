"""What administrators do with the models on a server: pull, load, free, delete.

Verbs as in `services`: permission first, an audit entry for what changes something. `pull_model` is an asynchronous
generator of progress; everything else is synchronous. Only Ollama's models come and go over its API; the other
kinds raise `OperationUnsupported`. Errors are ServerErrors and NotAllowed.
"""

import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from asgiref.sync import sync_to_async

from accounts import audit
from accounts.errors import NotAllowed, NotFound
from accounts.models import User
from inference.endpoints import endpoint_at, own_api
from inference.errors import ModelGone, OperationUnsupported
from inference.models import Capability, Deployment, Server, ServerKind
from inference.net.http import Place, place
from inference.services import refresh_models
from inference.types import Progress
from inference.wire import ollama
from inference.wire.dialects import dialect_of


def can_manage(server: Server) -> bool:
    """Whether models can be pulled to, loaded on and deleted from this server."""
    return dialect_of(server.kind, server.base_url).can_manage


def list_loaded_models(*, actor: User, server_id: uuid.UUID) -> frozenset[str]:
    """Names of the models in the server's memory; of kinds that hold what they were started with, all there are."""
    server = _server_for(actor, server_id)
    if can_manage(server):
        return ollama.loaded(_own_api(server))
    offered = server.deployments.filter(missing_since=None)
    return frozenset(offered.values_list("remote_name", flat=True))


async def pull_model(*, actor: User, server_id: uuid.UUID, name: str) -> AsyncGenerator[Progress, None]:
    """Have the server fetch a model from its library, and tell how far it is; the last event `is_done`.

    When that comes the model has its rows and can be chosen. Closing the generator ends the pull; another one
    goes on where it stopped. Raises ModelNotInLibrary, OperationUnsupported and every other ServerError.
    """
    name = name.strip()
    server = await sync_to_async(_managed_server)(actor, server_id)
    endpoint = own_api(await sync_to_async(endpoint_at)(server, name))
    await sync_to_async(audit.record)(actor=actor, verb="pull_model", target=server)
    async with aclosing(ollama.pull(endpoint)) as steps:
        async for progress in steps:
            if progress.is_done:
                await sync_to_async(refresh_models)(actor=actor, server_id=server_id)
            yield progress


def load_model(*, actor: User, server_id: uuid.UUID, remote_name: str) -> None:
    """Bring a model into the server's memory, so that the first question need not wait; may take minutes."""
    server = _managed_server(actor, server_id)
    is_embedding = Deployment.objects.filter(
        server=server, remote_name=remote_name, model__capabilities__contains=[Capability.EMBEDDINGS]
    ).exists()
    ollama.load(_own_api(server), remote_name, is_embedding=is_embedding)


def unload_model(*, actor: User, server_id: uuid.UUID, remote_name: str) -> None:
    """Free the memory that a model takes; the next question brings it back."""
    ollama.unload(_own_api(_managed_server(actor, server_id)), remote_name)


def delete_model(*, actor: User, server_id: uuid.UUID, remote_name: str) -> None:
    """Remove a model from the server's disk; its deployment goes missing at once. Harmless if it is gone already."""
    server = _managed_server(actor, server_id)
    with suppress(ModelGone):
        ollama.delete(_own_api(server), remote_name)
    audit.record(actor=actor, verb="delete_model", target=server)
    refresh_models(actor=actor, server_id=server_id)


def _server_for(actor: User, server_id: uuid.UUID) -> Server:
    if not actor.is_staff:
        raise NotAllowed
    server = Server.objects.filter(pk=server_id).first()
    if server is None:
        raise NotFound
    return server


def _managed_server(actor: User, server_id: uuid.UUID) -> Server:
    server = _server_for(actor, server_id)
    if not can_manage(server):
        raise OperationUnsupported(server.name, ServerKind(server.kind).label)
    return server


def _own_api(server: Server) -> Place:
    endpoint = own_api(endpoint_at(server, ""))
    return place(server_name=server.name, base_url=endpoint.base_url, api_key=endpoint.api_key)
