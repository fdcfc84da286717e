"""A client of the chat socket for tests: sends frames, keeps every event it sees."""

import asyncio
import json
import uuid

import aiohttp

FINAL = {"complete", "stopped", "failed"}
EVENT_SECONDS = 20


def text_of(events, kind="answer"):
    """The text that these events add up to."""
    text = ""
    for event in events:
        if event["type"] == "reset":
            text = ""
        elif event["type"] == "delta" and event["kind"] == kind:
            text += event["text"]
    return text


class Talk:
    def __init__(self, base_url, key):
        self.base_url, self.headers = base_url, {"Authorization": f"Bearer {key}"}
        self.seen = []

    async def __aenter__(self):
        self.session = aiohttp.ClientSession(headers=self.headers)
        try:
            self.socket = await self.session.ws_connect(f"{self.base_url}/ws/chat/")
        except aiohttp.ClientError:
            await self.session.close()
            raise
        return self

    async def __aexit__(self, *exc_info):
        await self.socket.close()
        await self.session.close()

    async def put_raw(self, text):
        await self.socket.send_str(text)

    async def put(self, **frame):
        await self.put_raw(json.dumps(frame))

    async def act(self, **frame):
        """An action frame, and the `sent` that answers it."""
        request_id = frame.setdefault("request_id", str(uuid.uuid4()))
        await self.put(**frame)
        event = await self.next(lambda event: event.get("request_id") == request_id)
        assert event["type"] == "sent", event
        return event

    async def send(self, text, **more):
        return await self.act(type="send", text=text, **more)

    async def receive(self):
        async with asyncio.timeout(EVENT_SECONDS):
            message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(f"the socket closed with {self.socket.close_code}")
        event = json.loads(message.data)
        self.seen.append(event)
        return event

    async def until(self, wanted):
        """All events up to the first that is wanted."""
        events = [await self.receive()]
        while not wanted(events[-1]):
            events.append(await self.receive())
        return events

    async def next(self, wanted):
        return (await self.until(wanted))[-1]

    async def until_end(self, reply):
        """The events of this reply up to its last one."""

        def is_end(event):
            return event.get("reply") == reply and event.get("status") in FINAL

        return [
            event for event in await self.until(is_end) if event.get("reply") == reply and "cursor" in event
        ]

    async def get(self, path):
        async with self.session.get(self.base_url + path) as response:
            assert response.status == 200, await response.text()
            return await response.json()
