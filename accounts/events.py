"""Live events to a user's open sockets, through the channel layer.

A room that changes something a person may be looking at calls `publish_to_user` after its transaction commits;
every socket of that user gets the event as it stands. What an event says is the sender's business.
"""

import uuid
from collections.abc import Mapping, Sequence

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer


def user_group(user_id: uuid.UUID) -> str:
    """The channel-layer group that all sockets of one user join."""
    return f"user.{user_id.hex}"


async def publish_to_user_async(user_id: uuid.UUID, event: Mapping[str, object]) -> None:
    """Send `event` (JSON-ready, with a `type`) to every open socket of the user."""
    layer = get_channel_layer()
    assert layer is not None, "CHANNEL_LAYERS names one"
    await layer.group_send(user_group(user_id), {"type": "user.event", "event": dict(event)})


def publish_to_user(user_id: uuid.UUID, event: Mapping[str, object]) -> None:
    """The same from synchronous code; call it on commit, never inside a transaction."""
    async_to_sync(publish_to_user_async)(user_id, event)


def publish_all(events: Sequence[tuple[uuid.UUID, Mapping[str, object]]]) -> None:
    """Several events, each to its user, in their order: what a connection costs, they cost together."""

    async def publish() -> None:
        for user_id, event in events:
            await publish_to_user_async(user_id, event)

    if events:
        async_to_sync(publish)()
