"""One supervised program: started, watched, started again when it dies, stopped when its time has come."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable

from config.stack.console import Console, LogWatch
from config.stack.errors import StackError
from config.stack.process import Program, start, stop, wait_until

LONGEST_PAUSE_SECONDS = 60.0
# Whoever lives this long is well; the next failure is a new one.
HEALTHY_SECONDS = 60.0


class Child:
    """A program that shall keep running.

    `prepare` runs before every start, `is_ready` tells when the program does its work; without it a program
    counts as ready once it runs. `detail` stands beside its name when it first comes up.
    """

    def __init__(
        self,
        program: Program,
        console: Console,
        *,
        prepare: Callable[[], None] | None = None,
        is_ready: Callable[[], bool] | None = None,
        detail: str = "running",
    ) -> None:
        self.program = program
        self._detail = detail
        self._console = console
        self._prepare = prepare
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._is_stopping = False
        self._watch: asyncio.Task[None] | None = None
        self.log = LogWatch(program.log)

    async def start(self) -> None:
        """Start the program and wait until it is ready; then keep it running. StackError if it ends first."""
        await self._start_once()
        self._console.came_up(self.program.name, self._detail)
        self._watch = asyncio.create_task(self._keep_running())

    async def stop(self) -> None:
        """End the program in its own way and stay with it until it is gone."""
        self._is_stopping = True
        if self._watch:
            self._watch.cancel()
        if self._process:
            await asyncio.to_thread(stop, self.program, self._process)

    def kill(self) -> None:
        """End the program at once; whoever waits in `stop` sees it gone."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, self.program.kill_signal)

    async def _start_once(self) -> None:
        if self._prepare:
            await asyncio.to_thread(self._prepare)
        if self._is_stopping:
            return
        # On this thread, the main one: see `config.stack.process.start`.
        self._process = start(self.program)
        self._started_at = time.monotonic()
        if self._is_ready:
            await asyncio.to_thread(wait_until, self._is_ready, process=self._process, program=self.program)

    async def _keep_running(self) -> None:
        pause = 0.5
        while self._process:
            words = how_it_ended(await ended(self._process))
            if time.monotonic() - self._started_at > HEALTHY_SECONDS:
                pause = 0.5
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            self._console.warn(self.program.name, f"{words}; starting it again in {pause:.0f} s")
            await asyncio.sleep(pause)
            try:
                await self._start_once()
            except StackError as error:
                self._console.warn(self.program.name, str(error))
            else:
                self._console.warn(self.program.name, "is running again")


async def ended(process: subprocess.Popen[bytes]) -> int:
    """The exit status of the process, once it has ended; no thread waits for it meanwhile."""
    if process.poll() is not None:
        return process.returncode
    loop = asyncio.get_running_loop()
    descriptor = os.pidfd_open(process.pid)
    gone = asyncio.Event()
    loop.add_reader(descriptor, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return process.wait()


def how_it_ended(status: int) -> str:
    """An exit status in words."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with exit code {status}"
