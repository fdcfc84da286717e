"""`manage.py chat`: talk in a terminal, over the same socket that the page uses.

    python manage.py chat --key KEY [--url http://127.0.0.1:8000] [--character librarian] [--model NAME]

A line is a message; Ctrl-C while an answer comes stops it, at the prompt it ends the talk. The connection may break
and come back in mid-answer: the rest follows from the last cursor.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import uuid
from argparse import ArgumentParser
from typing import Any

import aiohttp
from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils.translation import gettext as _

RECONNECT_SECONDS = 0.5
RECONNECT_TRIES = 60
FINAL = {"complete", "stopped", "failed"}


class Command(BaseCommand):
    help = "Talk with a character or a model in the terminal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=f"http://127.0.0.1:{settings.PORT}", help="where Parlour runs")
        parser.add_argument("--key", default=os.environ.get("PARLOUR_API_KEY", ""), help="an API key")
        parser.add_argument("--character", help="who to talk with, by slug")
        parser.add_argument("--model", help="which model answers, by name")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["key"]:
            raise CommandError(
                _(
                    "An API key is needed: --key KEY, or PARLOUR_API_KEY. `manage.py create_api_key EMAIL` makes one."
                )
            )
        try:
            asyncio.run(_talk(options["url"], options["key"], options["character"], options["model"]))
        except aiohttp.ClientError as error:
            raise CommandError(
                _("Parlour does not answer at {url}: {error}").format(url=options["url"], error=error)
            ) from error


class _Talk:
    """One conversation over a socket that may have to be opened again."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session, self._key = session, key
        self._url = url.replace("http", "ws", 1).rstrip("/") + "/ws/chat/"
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self.conversation: str | None = None
        self.reply: str | None = None

    async def connect(self) -> None:
        headers = {"Authorization": f"Bearer {self._key}"}
        self._socket = await self._session.ws_connect(self._url, headers=headers)

    async def send(self, **frame: object) -> None:
        assert self._socket is not None
        await self._socket.send_str(json.dumps(frame))

    async def answer(self, text: str, character: str | None, model: str | None) -> None:
        """Send a message and print the answer as it comes."""
        request_id, cursor, said = str(uuid.uuid4()), None, 0
        frame = {"type": "send", "request_id": request_id, "text": text, "conversation": self.conversation}
        await self.send(**frame, character=character, model=model)
        while True:
            assert self._socket is not None
            message = await self._socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                await self._come_back(frame | {"character": character, "model": model}, cursor)
                continue
            event = json.loads(message.data)
            if event["type"] == "error":
                sys.stdout.write(f"\n{event['message']}\n")
                if event.get("request_id") in ("", None, request_id):
                    return
            elif event["type"] == "sent":
                self.conversation, self.reply = event["conversation"], event["reply"]
            elif event.get("reply") == self.reply and "cursor" in event:
                cursor = event["cursor"]
                if event["type"] == "delta" and event["kind"] == "answer":
                    sys.stdout.write(event["text"])
                    sys.stdout.flush()
                    said += 1
                elif event["type"] == "reset" and said:
                    sys.stdout.write("\n" + _("(The answer starts over.)") + "\n")
                elif event["type"] == "status" and event["status"] in FINAL:
                    sys.stdout.write("\n")
                    if "error" in event:
                        sys.stdout.write(event["error"]["message"] + "\n")
                    self.reply = None
                    return

    async def stop(self) -> None:
        if self.reply is not None:
            await self.send(type="stop", reply=self.reply)

    async def _come_back(self, frame: dict[str, Any], cursor: str | None) -> None:
        for _try in range(RECONNECT_TRIES):
            with contextlib.suppress(aiohttp.ClientError, OSError):
                await self.connect()
                if self.reply is None:
                    await self.send(**frame)
                else:
                    cursors = {self.reply: cursor} if cursor else {}
                    await self.send(type="follow", conversation=self.conversation, cursors=cursors)
                return
            await asyncio.sleep(RECONNECT_SECONDS)
        raise aiohttp.ClientConnectionError(_("the connection is gone"))


async def _talk(url: str, key: str, character: str | None, model: str | None) -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    stops: set[asyncio.Task[None]] = set()
    async with aiohttp.ClientSession() as session:
        talk = _Talk(session, url, key)
        await talk.connect()
        while True:
            sys.stdout.write("› ")
            sys.stdout.flush()
            line = (await lines.readline()).decode()
            if not line:
                return
            if not line.strip():
                continue
            loop.add_signal_handler(signal.SIGINT, lambda: stops.add(asyncio.ensure_future(talk.stop())))
            try:
                await talk.answer(line, character, model)
            finally:
                loop.remove_signal_handler(signal.SIGINT)
