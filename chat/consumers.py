"""The chat socket: frames in, service calls, frames out. It holds no reply; it only watches some.

Channels hands a consumer one frame at a time, so nothing here waits for a model. What goes out passes one bounded
queue: a client that cannot keep up is let go, and comes back with its cursors.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils.translation import gettext as _

from accounts.errors import ParlourError
from accounts.events import publish_to_user_async, user_group
from accounts.models import User
from chat import events, metrics, posting, runtime, services
from chat.choices import Choices
from chat.database import in_database
from chat.models import Message, Reply, ReplyStatus, Task
from chat.nodes import message_node
from chat.plans import Posted
from chat.queries import replies_to_follow
from chat.running.draft import frames_of_row
from chat.scenes.groups import Wish
from chat.sign_in import find_user, read_headers
from inference import tracing

logger = logging.getLogger(__name__)

# Close codes: 4401 as in HTTP's 401; 4408 asks to come back; 4012 for a restart, as the registered 1012, which
# Daphne does not let an application send (RFC 6455 leaves it 1000 and 3000-4999).
CLOSE_NOT_SIGNED_IN = 4401
CLOSE_RESTART = 4012
CLOSE_TOO_SLOW = 4408
# A client this far behind (about a minute of one busy stream) gains nothing from more waiting.
QUEUE_FRAMES = 4000
# A signed-out or disabled user's socket ends at the first frame after this time.
SIGN_IN_CHECK_SECONDS = 60.0
# An answer that is over comes whole with the news of it.
FINAL_STATUSES = {ReplyStatus.COMPLETE, ReplyStatus.STOPPED, ReplyStatus.FAILED}
# When many write at once, their first tokens come before the news for their other windows.
OTHER_WINDOWS_SECONDS = 0.15


class ChatConsumer(AsyncWebsocketConsumer):
    """One open window, app or program of one user."""

    user: User

    async def connect(self) -> None:
        self.runtime = await runtime.start()
        self._headers = read_headers(self.scope)
        self._outbox: asyncio.Queue[str] = asyncio.Queue(QUEUE_FRAMES)
        self._sender: asyncio.Task[None] | None = None
        # What this socket watches: reply → its conversation.
        self._replies: dict[uuid.UUID, uuid.UUID] = {}
        # Those it has told to their end: an event that comes late does not begin them again.
        self._told: set[uuid.UUID] = set()
        self._conversations: set[uuid.UUID] = set()
        self._telling: set[asyncio.Task[None]] = set()
        user = await in_database(find_user, self._headers)
        await self.accept()
        if user is None:
            await self._send_error("not_signed_in", _("Sign in to chat."))
            await self.close(CLOSE_NOT_SIGNED_IN)
            return
        if self.runtime.is_draining:
            await self.close(CLOSE_RESTART)
            return
        self.user = user
        self._signed_in_at = time.monotonic()
        self._sender = asyncio.create_task(self._send_outbox())
        self.runtime.sockets.add(self)
        metrics.SOCKETS_OPEN.inc()
        await self.channel_layer.group_add(user_group(user.pk), self.channel_name)

    async def disconnect(self, code: int) -> None:
        for reply_id in tuple(self._replies):
            self.runtime.feed.unfollow(reply_id, self._deliver)
        self._replies.clear()
        if self._sender is not None:
            self._sender.cancel()
            self.runtime.sockets.discard(self)
            metrics.SOCKETS_OPEN.dec()
            await self.channel_layer.group_discard(user_group(self.user.pk), self.channel_name)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels' own dispatch first goes through the one thread that all sockets share, to close database
        connections. There are none on that thread: every call here uses `chat.database`."""
        await getattr(self, get_handler_name(message))(message)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._sender is None:
            return
        request_id = None
        try:
            frame = events.decode_client_frame(text_data or "")
            request_id = frame.request_id
            if not await self._is_still_signed_in():
                await self.close(CLOSE_NOT_SIGNED_IN)
                return
            with tracing.span(f"frame {frame.__struct_config__.tag or 'frame'}"):
                await self._act(frame)
        except ParlourError as error:
            await self._send_error(error.code, str(error.user_message), request_id)
        except Exception:
            logger.exception("A frame could not be handled")
            sentence = _("Parlour could not do that. Try again; the log says more.")
            await self._send_error("internal", sentence, request_id)

    async def _act(self, frame: events.AnyClientFrame) -> None:
        match frame:
            case events.Send() | events.Edit() | events.Regenerate() | events.Continue() | events.Speak():
                await self._begin_reply(frame)
            case events.Follow():
                await self._follow(frame)
            case events.Unfollow():
                self._unfollow(frame.conversation)
            case events.Stop():
                await in_database(services.stop_reply, actor=self.user, reply_id=frame.reply)
            case events.Ping():
                self._queue(events.encode(events.Pong()).decode())

    async def _begin_reply(
        self, frame: events.Send | events.Edit | events.Regenerate | events.Continue | events.Speak
    ) -> None:
        if self.runtime.is_draining:
            await self.close(CLOSE_RESTART)
            return
        posted = await self._store(frame)
        reply, conversation_id = posted.reply, posted.conversation.pk
        user_message = posted.user_message
        sent = events.Sent(
            request_id=frame.request_id or "",
            conversation=str(conversation_id),
            message=str(user_message.pk) if user_message else None,
            assistant_message=str(reply.message_id),
            reply=str(reply.pk),
            parent=str(reply.message.parent_id) if reply.message.parent_id else None,
            speaker=reply.message.character.slug if reply.message.character is not None else None,
        )
        self._queue(events.encode(sent).decode())
        self._conversations.add(conversation_id)
        if posted.context is None:
            await self._follow_reply(reply, reply.message, conversation_id, events.BEGINNING)
            return
        await self._watch(reply.pk, conversation_id, events.BEGINNING)
        self.runtime.start_reply(posted.context)
        self._telling.add(task := asyncio.create_task(self._tell_other_windows(posted)))
        task.add_done_callback(self._telling.discard)

    async def _tell_other_windows(self, posted: Posted) -> None:
        await asyncio.sleep(OTHER_WINDOWS_SECONDS)
        conversation = posted.conversation
        messages = posted.messages or (posted.reply.message,)
        nodes = [
            message_node(message, posted.reply if message.pk == posted.reply.message_id else None)
            for message in messages
        ]
        event = {
            "type": "conversation",
            "conversation": str(conversation.pk),
            "event": "created" if posted.is_new_conversation else "message",
            "title": conversation.title,
            "current_message": str(posted.reply.message_id),
            "messages": [node.model_dump(mode="json") for node in nodes],
        }
        await publish_to_user_async(self.user.pk, event)

    async def _follow(self, frame: events.Follow) -> None:
        found = await in_database(
            replies_to_follow,
            user=self.user,
            conversation_id=frame.conversation,
            known=list(frame.cursors),
        )
        self._conversations.add(frame.conversation)
        for reply, message in found:
            cursor = frame.cursors.get(reply.pk, events.BEGINNING)
            await self._follow_reply(reply, message, frame.conversation, cursor)

    async def _follow_reply(
        self, reply: Reply, message: Message, conversation_id: uuid.UUID, cursor: str
    ) -> None:
        """From the log while it lasts; a reply that ended long ago is told from its row."""
        if reply.is_final and not await self.runtime.feed.has_log(reply.pk):
            if cursor != reply.last_cursor:
                for frame in frames_of_row(reply, message):
                    self._queue(events.encode(frame).decode())
            return
        await self._watch(reply.pk, conversation_id, cursor)

    async def _watch(self, reply_id: uuid.UUID, conversation_id: uuid.UUID, cursor: str) -> None:
        if reply_id not in self._replies:
            self._replies[reply_id] = conversation_id
            try:
                await self.runtime.feed.follow(reply_id, cursor, self._deliver)
            finally:
                # The socket went, or turned elsewhere, while the beginning was still being read.
                if reply_id not in self._replies:
                    self.runtime.feed.unfollow(reply_id, self._deliver)

    def _unfollow(self, conversation_id: uuid.UUID) -> None:
        self._conversations.discard(conversation_id)
        for reply_id in [key for key, value in self._replies.items() if value == conversation_id]:
            del self._replies[reply_id]
            self.runtime.feed.unfollow(reply_id, self._deliver)

    def _deliver(self, reply_id: uuid.UUID, frames: Sequence[str], is_last: bool) -> None:
        for frame in frames:
            self._queue(frame)
        if is_last:
            self._replies.pop(reply_id, None)
            self._told.add(reply_id)

    async def user_event(self, message: dict[str, Any]) -> None:
        """An event for all windows of this user, from `accounts.events`."""
        event = message["event"]
        self._queue(msgspec.json.encode(event).decode())
        if event.get("type") == "conversation" and event.get("messages"):
            conversation_id = uuid.UUID(event["conversation"])
            if conversation_id in self._conversations:
                for node in event["messages"]:
                    if node["reply"] and node["reply"]["status"] not in FINAL_STATUSES:
                        reply_id = uuid.UUID(node["reply"]["id"])
                        if reply_id not in self._told:
                            await self._watch(reply_id, conversation_id, events.BEGINNING)

    async def close_for_restart(self) -> None:
        await self.close(CLOSE_RESTART)

    async def _is_still_signed_in(self) -> bool:
        if time.monotonic() - self._signed_in_at > SIGN_IN_CHECK_SECONDS:
            user = await in_database(find_user, self._headers)
            if user is None or user.pk != self.user.pk:
                return False
            self._signed_in_at = time.monotonic()
        return True

    def _queue(self, frame: str) -> None:
        try:
            self._outbox.put_nowait(frame)
        except asyncio.QueueFull:
            if self._sender is not None:
                self._sender.cancel()

    async def _send_outbox(self) -> None:
        try:
            while True:
                await self.send(text_data=await self._outbox.get())
        except asyncio.CancelledError:
            if self._outbox.full():
                await self.close(CLOSE_TOO_SLOW)
            raise

    async def _send_error(self, code: str, message: str, request_id: str | None = None) -> None:
        frame = events.ErrorFrame(code=code, message=message, request_id=request_id or "")
        await self.send(text_data=events.encode(frame).decode())

    async def _store(
        self, frame: events.Send | events.Edit | events.Regenerate | events.Continue | events.Speak
    ) -> Posted:
        """Call the service of an action frame."""
        actor, request_id = self.user, frame.request_id or ""
        match frame:
            case events.Send():
                choices = Choices(
                    character=frame.character,
                    model=frame.model,
                    collections=frame.collections,
                    documents=frame.documents,
                    max_tokens=frame.max_tokens,
                    temperature=frame.temperature,
                    greeting=frame.greeting,
                    persona=frame.persona,
                    group=Wish(frame.group, frame.muted, frame.turn_order) if frame.group else None,
                    speaker=frame.speaker,
                    task=Task(frame.task) if frame.task else None,
                )
                return await self.runtime.posts.submit(
                    posting.NewPost(actor, frame.text, frame.conversation, frame.parent, choices, request_id)
                )
            case events.Edit(message=message, text=text):
                return await in_database(
                    posting.edit_message, actor=actor, message_id=message, text=text, request_id=request_id
                )
            case events.Regenerate(message=message, model=model):
                return await in_database(
                    posting.regenerate_message,
                    actor=actor,
                    message_id=message,
                    model_name=model,
                    request_id=request_id,
                )
            case events.Continue(message=message):
                return await in_database(
                    posting.continue_message, actor=actor, message_id=message, request_id=request_id
                )
            case events.Speak(conversation=conversation, speaker=speaker):
                return await in_database(
                    posting.ask_speaker,
                    actor=actor,
                    conversation_id=conversation,
                    speaker=speaker,
                    request_id=request_id,
                )
