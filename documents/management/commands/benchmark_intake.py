"""`manage.py benchmark_intake`: many small text files through the API, as a program sends them, until all are ready.

It prints files a second, and beside a local stack what each of its programs spent on a file and how its memory
moved. Others on the machine slow the first number down; the processor's time hardly changes.
"""

import asyncio
import os
import time
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from documents.evaluation.intake_load import LoadError, Target, make_text, run_load
from documents.evaluation.processes import Cost, read_costs

MEGABYTE = 1024 * 1024


class Command(BaseCommand):
    help = "Measures how fast small text files become searchable; needs a running Parlour and an API key."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--files", type=int, default=1000)
        parser.add_argument(
            "--bytes", dest="size_bytes", type=int, default=2000, help="size of a file, on average"
        )
        parser.add_argument("--connections", type=int, default=8)
        parser.add_argument("--url", default=f"http://127.0.0.1:{settings.PORT}", help="where Parlour runs")
        parser.add_argument("--key", default=os.environ.get("PARLOUR_API_KEY", ""), help="an API key")

    def handle(
        self, *, files: int, size_bytes: int, connections: int, url: str, key: str, **_: object
    ) -> None:
        if not key:
            raise CommandError(
                "Give a key with --key or PARLOUR_API_KEY; `manage.py create_api_key` makes one."
            )
        # Of each run its own: bytes that are known already would only be copied.
        seed = time.time_ns()
        texts = [make_text(number, seed=seed, size_bytes=size_bytes) for number in range(files)]
        self._say(
            "files", f"{files}, {sum(map(len, texts)) / files:.0f} bytes each, {connections} connections"
        )
        costs = [self._costs()]
        try:
            load = run_load(Target(url, key, connections), texts, lambda: costs.append(self._costs()))
            outcome = asyncio.run(load)
        except LoadError as error:
            raise CommandError(str(error)) from error
        self._say("ready, failed", f"{outcome.ready}, {outcome.failed}")
        self._say("accepted", f"{files / outcome.accepted_seconds:.1f} files/s")
        self._say("ready", f"{files / outcome.done_seconds:.1f} files/s")
        before, after = costs
        if len(after) > 1:
            self._tell_costs(files, before, after)

    def _costs(self) -> dict[str, Cost]:
        return {**read_costs(settings.DATA_DIR), "this command": Cost(time.process_time(), 0)}

    def _tell_costs(self, files: int, before: dict[str, Cost], after: dict[str, Cost]) -> None:
        spent = {name: after[name].cpu_seconds - cost.cpu_seconds for name, cost in before.items()}
        self._say("processor, all", f"{sum(spent.values()) / files * 1000:.1f} ms a file")
        for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
            sizes = [round(costs[name].resident_bytes / MEGABYTE) for costs in (before, after)]
            memory = f", memory {sizes[0]} → {sizes[1]} MB" if sizes[0] else ""
            self._say(f"  {name}", f"{seconds / files * 1000:.1f} ms a file{memory}")

    def _say(self, name: str, value: str) -> None:
        self.stdout.write(f"{name:<20}{value}")
