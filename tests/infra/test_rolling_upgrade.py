"""An upgrade as a cluster does it, on real processes: the schema expands, two versions serve side by side, the old
one is told to go while it writes answers, and every answer ends whole: no token missing, none doubled.

The newer version is a copy of this checkout with one more, expanding migration.
"""

import asyncio
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import User
from accounts.services import create_api_key
from config.stack.process import launch
from inference.models import Capability, Deployment, Model, Server, ServerKind
from tests.chat.talk import FINAL, Talk
from tests.openai_server import ScriptedServer
from tests.processes import Process, child_environment, free_port, stopped_at_end

ROOT = Path(__file__).parents[2]
APPS = ("accounts", "characters", "chat", "config", "documents", "inference")
TOKENS = 120
OLD_STREAMS = 12
NEW_STREAMS = 6

EXPAND = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("chat", "{last}")]
    operations = [migrations.AddField("message", "mood", models.TextField(null=True))]
"""


@pytest.fixture
def key(transactional_db: None) -> Iterator[str]:
    """A key to a house whose model recites numbers and can continue a text."""
    with ScriptedServer(kind="llamacpp") as recital:
        server = Server.objects.create(name="recital", base_url=recital.url, kind=ServerKind.LLAMACPP)
        model = Model.objects.create(name="recital", capabilities=[Capability.CHAT], is_default=True)
        Deployment.objects.create(model=model, server=server, remote_name="pace-40")
        user = User.objects.create_user(email="ada@example.com", password="a long password")
        yield create_api_key(actor=user, name="test")[1]


@pytest.fixture
def newer(tmp_path: Path, transactional_db: None) -> Iterator[Path]:
    """A newer version of the code; its migration is taken back at the end."""
    home = tmp_path / "newer"
    home.mkdir()
    for app in APPS:
        shutil.copytree(ROOT / app, home / app, ignore=shutil.ignore_patterns("frontend", "__pycache__"))
    shutil.copy(ROOT / "manage.py", home)
    last = max(path.stem for path in (home / "chat/migrations").glob("0*.py"))
    (home / "chat/migrations/9000_expand.py").write_text(EXPAND.format(last=last))
    models = home / "chat/models/messages.py"
    text = models.read_text()
    marker = "class Message(models.Model):"
    start = text.index('"""', text.index('"""', text.index(marker)) + 3) + 3
    models.write_text(f"{text[:start]}\n\n    mood = models.TextField(null=True)\n{text[start:]}")
    yield home
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE chat_message DROP COLUMN IF EXISTS mood")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'chat' AND name = '9000_expand'")


def manage(home: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=home,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def serve(home: Path, log: Path, grace_seconds: float) -> Process:
    port = free_port()
    with log.open("wb") as output:
        popen = subprocess.Popen(
            launch(
                (
                    sys.executable,
                    "manage.py",
                    "serve",
                    "--port",
                    str(port),
                    "--grace-seconds",
                    str(grace_seconds),
                ),
                orphan_signal=signal.SIGKILL,
                account=None,
            ),
            cwd=home,
            env=child_environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    return Process(popen, log, f"http://127.0.0.1:{port}").await_ready()


class Person:
    """Somebody at a browser: sends one message, and comes back with the last cursor wherever there is a server."""

    def __init__(self, key: str, servers: list[Process]) -> None:
        self.key, self.servers = key, servers
        self.text, self.cursor, self.status, self.resets = "", None, "", 0
        self.sent: dict[str, str] = {}
        self.has_begun = asyncio.Event()

    async def chat(self) -> None:
        async with asyncio.timeout(60):
            while not self.status:
                try:
                    await self._visit(self.servers[0] if not self.sent else self._living())
                except (OSError, ConnectionError):
                    await asyncio.sleep(0.05)

    def _living(self) -> Process:
        """A load balancer: the newest server that still runs."""
        return next(server for server in reversed(self.servers) if server.popen.poll() is None)

    async def _visit(self, server: Process) -> None:
        async with Talk(server.url, self.key) as talk:
            if not self.sent:
                self.sent = await talk.send("Count", max_tokens=TOKENS, request_id=str(uuid.uuid4()))
            else:
                cursors = {self.sent["reply"]: self.cursor} if self.cursor else {}
                await talk.put(type="follow", conversation=self.sent["conversation"], cursors=cursors)
            while not self.status:
                self._take(await talk.receive())

    def _take(self, event: dict) -> None:
        if event.get("reply") != self.sent["reply"] or "cursor" not in event:
            return
        self.cursor = event["cursor"]
        if event["type"] == "delta":
            self.text += event["text"]
            self.has_begun.set()
        elif event["type"] == "reset":
            self.text, self.resets = "", self.resets + 1
        elif event.get("status") in FINAL:
            self.status = event["status"]


def numbers(text: str) -> list[int]:
    return [int(token.split(":")[0]) for token in text.split(";") if token]


async def test_upgrade_under_load_loses_no_token_and_doubles_none(
    key: str, newer: Path, tmp_path: Path
) -> None:
    old = await asyncio.to_thread(serve, ROOT, tmp_path / "old.log", 1.0)
    servers = [old]
    with stopped_at_end(old):
        before = [Person(key, servers) for _ in range(OLD_STREAMS)]
        chats = await begin(before)
        # The hook: the schema of the newer version, under the older one's feet.
        await asyncio.to_thread(manage, newer, "migrate")
        new = await asyncio.to_thread(serve, newer, tmp_path / "new.log", 1.0)
        with stopped_at_end(new):
            rolled = [Person(key, [old]) for _ in range(OLD_STREAMS)]
            chats += await begin(rolled)
            for person in rolled:
                person.servers = servers
            servers.append(new)
            late = [Person(key, [new]) for _ in range(NEW_STREAMS)]
            chats += [asyncio.create_task(person.chat()) for person in late]
            handed_over = sum(not person.status for person in rolled)
            await asyncio.to_thread(old.terminate)
            await asyncio.gather(*chats)

    assert handed_over, "the old version had nothing left to hand over"
    assert old.popen.returncode == 0
    for person in [*before, *rolled, *late]:
        assert person.status == "complete"
        assert numbers(person.text) == list(range(TOKENS))
    assert not any(person.resets for person in rolled), "a text that could be continued was begun again"


async def begin(people: list[Person]) -> list[asyncio.Task[None]]:
    """Let them send, and wait until each reads the first words of an answer."""
    chats = [asyncio.create_task(person.chat()) for person in people]
    await asyncio.gather(*(person.has_begun.wait() for person in people))
    return chats
