"""The embedded llama.cpp of the local stack: it serves the GGUF file that MODEL_GGUF names or an administrator chose.

A choice may change while the stack runs; the old model goes on until the new one is asked for.
"""

import asyncio

from config.stack import plan
from config.stack.child import Child
from config.stack.console import Console
from config.stack.errors import StackError
from config.stack.plan import StackSettings
from inference.model_server.choice import ModelChoice, choice_of, read_choice

NAME = "language model"


class LanguageModel:
    """At most one child, and the choice that it serves."""

    def __init__(self, settings: StackSettings, console: Console, port: int) -> None:
        self._settings = settings
        self._console = console
        self._port = port
        self._choice: ModelChoice | None = None
        self._turn = asyncio.Lock()
        self.children: list[Child] = []

    async def follow(self) -> None:
        """Bring what runs in line with what is chosen now; what cannot be served is said, and the house goes on."""
        async with self._turn:
            wanted = self._wanted()
            if wanted == self._choice:
                return
            self._choice = wanted
            await self._stop()
            if wanted is None:
                return
            program = plan.language_model(self._settings, self._port, wanted)
            child = Child(program, self._console, detail=f"{wanted.name} at 127.0.0.1:{self._port}")
            self.children = [child]
            try:
                await child.start()
            except StackError as error:
                self._console.warn(NAME, str(error))

    async def stop(self) -> None:
        async with self._turn:
            await self._stop()

    def _wanted(self) -> ModelChoice | None:
        if self._settings.model_gguf:
            return choice_of(self._settings.model_gguf)
        return read_choice(self._settings.data_dir)

    async def _stop(self) -> None:
        children, self.children = self.children, []
        await asyncio.gather(*(child.stop() for child in children))
