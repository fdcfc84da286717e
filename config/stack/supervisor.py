"""The local stack from start to stop: what comes up in which order, and what goes down.

It starts what is not given by URL, writes where that listens to DATA_DIR/stack.json for every other command,
keeps its children running and ends them on Ctrl-C, those who use a server before the server. It knows no
Django, so that the first page does not wait for one more boot of it.
"""

import asyncio
import signal
from dataclasses import replace
from functools import partial

from config.stack import plan
from config.stack.child import Child
from config.stack.console import Console
from config.stack.description import StackDescription, remove_description, write_description
from config.stack.language_model import LanguageModel
from config.stack.lock import hold_data_folder
from config.stack.plan import StackSettings
from config.stack.postgres import Postgres
from config.stack.process import free_port, is_listening
from config.stack.valkey import Valkey

SECONDS_BETWEEN_LOOKS = 0.5


class Supervisor:
    """One run of the local stack."""

    def __init__(self, settings: StackSettings, console: Console) -> None:
        self._settings = settings
        self._console = console
        # In the order of starting; they are stopped in the reverse order, each group at once.
        self._servers: list[Child] = []
        self._model_servers: list[Child] = []
        self._house: list[Child] = []
        self._language_model: LanguageModel | None = None
        self._stop_requested = asyncio.Event()

    async def run(self) -> None:
        """Run until a signal asks for the end. StackError if the stack cannot come up; whatever had started
        is stopped in any case."""
        with hold_data_folder(self._settings.data_dir):
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._request_stop)
            work = asyncio.create_task(self._work())
            stop = asyncio.create_task(self._stop_requested.wait())
            try:
                await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    work.result()
            finally:
                work.cancel()
                stop.cancel()
                await self._stop_all()

    async def _work(self) -> None:
        await self._start_all()
        while True:
            if self._language_model:
                await self._language_model.follow()
            for child in self._children():
                if line := child.log.next_notable_line():
                    self._console.warn(child.program.name, line)
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    async def _start_all(self) -> None:
        settings, console = self._settings, self._console
        plan.check_port(settings)
        console.say(f"Parlour, with its data in {settings.data_dir}")
        self._plan_servers()
        await self._start(*self._servers)
        web_answers = partial(is_listening, settings.host, settings.port)
        web = Child(plan.web(settings), console, is_ready=web_answers, detail=settings.page_url)
        self._house = [web]
        if self._language_model:
            await self._language_model.follow()
        await self._start(web, *self._model_servers)
        # Now rather than with the others: the first page shall not share two cores with four processes.
        clerks = [Child(plan.worker(settings), console), Child(plan.beat(settings), console)]
        self._house += clerks
        await self._start(*clerks)
        console.say(f"\nOpen {settings.page_url}   (Ctrl-C stops everything)\n")

    def _plan_servers(self) -> None:
        """Settle what to run and where it will listen, and write that down before anybody asks."""
        settings, console = self._settings, self._console
        description = StackDescription()
        if settings.database_url:
            console.came_up("PostgreSQL", "yours, from DATABASE_URL")
        else:
            postgres = Postgres(settings.data_dir, free_port())
            description = replace(description, database_url=postgres.url)
            self._servers.append(self._server(postgres))
        if settings.redis_url:
            console.came_up("Redis", "yours, from REDIS_URL")
        else:
            valkey = Valkey(settings.data_dir, free_port())
            description = replace(description, redis_url=valkey.url)
            self._servers.append(self._server(valkey))
        if settings.embedding_url:
            console.came_up("model server", "yours, from EMBEDDING_URL")
        else:
            port = free_port()
            description = replace(description, embedding_url=f"http://127.0.0.1:{port}/v1")
            answers = partial(is_listening, "127.0.0.1", port)
            program = plan.model_server(settings, port)
            child = Child(program, console, is_ready=answers, detail=f"127.0.0.1:{port}")
            self._model_servers.append(child)
        port = free_port()
        self._language_model = LanguageModel(settings, console, port)
        description = replace(description, model_url=f"http://127.0.0.1:{port}/v1")
        write_description(settings.data_dir, description)

    def _server(self, server: Postgres | Valkey) -> Child:
        return Child(
            server.program,
            self._console,
            prepare=server.prepare,
            is_ready=server.is_ready,
            detail=f"127.0.0.1:{server.port}",
        )

    async def _start(self, *children: Child) -> None:
        await asyncio.gather(*(child.start() for child in children))

    def _children(self) -> list[Child]:
        language_model = self._language_model.children if self._language_model else []
        return [*self._servers, *self._model_servers, *language_model, *self._house]

    def _request_stop(self) -> None:
        """The first signal asks for an orderly end, the second one for an end at once."""
        if self._stop_requested.is_set():
            for child in self._children():
                child.kill()
        self._stop_requested.set()

    async def _stop_all(self) -> None:
        self._console.say("\nStopping (Ctrl-C again to stop at once)")
        for group in (self._house, self._model_servers, self._servers):
            await asyncio.gather(*(child.stop() for child in group))
            if group is self._house and self._language_model:
                await self._language_model.stop()
        remove_description(self._settings.data_dir)
        self._console.say("Stopped.")
