"""`manage.py benchmark_fairness --keys FILE`: what one noisy person costs the others, measured from outside.

    for n in $(seq 21); do python manage.py create_api_key p$n@example.com --create-user; done > keys.txt
    python manage.py benchmark_fairness --keys keys.txt --model NAME

The model must have a limit of answers at once (8, say), or nobody waits and nothing is measured.
"""

import asyncio
import statistics
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from inference.benchmark.doors import BenchmarkError, Question, list_models, new_session
from inference.benchmark.fairness import Burst, Waits, measure_fairness


class Command(BaseCommand):
    help = "Measure how long others wait beside one person who asks for very much at once."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=f"http://127.0.0.1:{settings.PORT}", help="where Parlour runs")
        parser.add_argument(
            "--keys",
            type=Path,
            required=True,
            help="a file of API keys: the noisy person's, then one for each other",
        )
        parser.add_argument("--model", default="", help="a model with a limit of answers at once")
        parser.add_argument("--requests", type=int, default=200, help="of the noisy person, all at once")
        parser.add_argument("--tokens", type=int, default=100, help="the longest answer")
        parser.add_argument("--lead", type=float, default=1.0, help="seconds before the others come")
        parser.add_argument("--rounds", type=int, default=3)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rounds = asyncio.run(self._measure(options))
        except (BenchmarkError, OSError) as error:
            raise CommandError(str(error)) from error
        ratio = statistics.median(waits.ratio for waits in rounds)
        self.stdout.write(f"The others' median wait is {ratio:.2f} times that without the noisy one.")

    async def _measure(self, options: dict[str, Any]) -> list[Waits]:
        keys = tuple(options["keys"].read_text().split())
        if len(keys) < 2:
            raise BenchmarkError("Two keys are needed at least: the noisy person's, and somebody else's.")
        url, rounds = options["url"].rstrip("/"), []
        async with new_session(options["requests"] + len(keys)) as session:
            model = options["model"] or (await list_models(session, url, keys[0]))[0]
            burst = Burst(
                url=url,
                keys=keys,
                question=Question(model, "Go on.", options["tokens"]),
                noisy_requests=options["requests"],
                lead_seconds=options["lead"],
            )
            self.stdout.write(
                f"{model}: 1 with {burst.noisy_requests} requests, {len(keys) - 1} others with 1 each"
            )
            for _round in range(options["rounds"]):
                waits = await measure_fairness(session, burst)
                self.stdout.write(
                    f"others alone p50 {_milliseconds(waits.alone)}   beside {_milliseconds(waits.beside)}"
                    f"   {waits.ratio:.2f} times"
                )
                rounds.append(waits)
        return rounds


def _milliseconds(seconds: tuple[float, ...]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} ms"
