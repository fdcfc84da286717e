"""`manage.py benchmark`: how fast answers come, measured from outside.

    python manage.py benchmark --key KEY [--users 1,8,32] [--all-models] [--door http|socket|both]
    python manage.py benchmark --compare BEFORE.json AFTER.json

Each scenario is a model, a door and a number of users who ask at once, one answer after another. It prints a table,
and leaves a run as JSON and a report as one HTML file; `--against` holds it against an earlier run.
"""

import asyncio
import os
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from inference.benchmark.doors import DOORS, BenchmarkError, list_models, new_session
from inference.benchmark.load import Plan, run_scenario, warm_up
from inference.benchmark.report import write_report
from inference.benchmark.results import Run, RunUnreadable, Sample, compare, load, save
from inference.benchmark.terminal import Progress, changes_table, table_of

TEXT = "Tell me, in plain words and at length, how a lighthouse works and who looks after it."


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise ArgumentTypeError(f"{text!r} are no numbers of users; write 1,8,32")
    return numbers


def _doors(wanted: str, group: tuple[str, ...]) -> tuple[str, ...]:
    if group:
        return ("socket",)
    return tuple(DOORS) if wanted == "both" else (wanted,)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


class Command(BaseCommand):
    help = "Measure first token and tokens per second, for one user and many, and compare runs."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=f"http://127.0.0.1:{settings.PORT}", help="where Parlour runs")
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            help="an API key; several are used in turn, as several people",
        )
        parser.add_argument("--model", action="append", default=[], help="a model by name; may be repeated")
        parser.add_argument("--all-models", action="store_true", help="every chat model that the key may use")
        parser.add_argument("--users", type=_numbers, default=(1, 8), help="users at once, as 1,8,32")
        parser.add_argument("--answers", type=int, default=4, help="answers for each user, one after another")
        parser.add_argument("--tokens", type=int, default=150, help="the longest answer")
        parser.add_argument("--text", default=TEXT, help="what is asked")
        parser.add_argument("--door", choices=[*DOORS, "both"], default="http")
        parser.add_argument(
            "--group",
            type=_names,
            default=(),
            metavar="SLUG,SLUG",
            help="characters who answer one after another; implies --door socket",
        )
        parser.add_argument("--label", default="", help="a word for this run, in the report")
        parser.add_argument(
            "--out", type=Path, default=settings.DATA_DIR / "benchmarks", help="folder of the files"
        )
        parser.add_argument("--against", type=Path, help="an earlier run (JSON) to hold this one against")
        parser.add_argument(
            "--compare", type=Path, nargs=2, metavar=("BEFORE", "AFTER"), help="two saved runs"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        before: Run | None
        try:
            if options["compare"]:
                before, run = (load(path) for path in options["compare"])
                name = f"{options['compare'][0].stem}-and-{options['compare'][1].stem}"
            else:
                # Read first: a wrong path is told before minutes of measuring.
                before = load(options["against"]) if options["against"] else None
                run = asyncio.run(self._measure(options))
                name = datetime.now(UTC).strftime("%Y-%m-%d-%H%M%S")
                save(run, options["out"] / f"{name}.json")
        except (BenchmarkError, RunUnreadable) as error:
            raise CommandError(str(error)) from error
        self._tell(run, before, options["out"], name, is_saved=not options["compare"])

    async def _measure(self, options: dict[str, Any]) -> Run:
        keys = options["key"] or [key for key in [os.environ.get("PARLOUR_API_KEY", "")] if key]
        if not keys:
            raise BenchmarkError(
                "An API key is needed: --key KEY, or PARLOUR_API_KEY. `manage.py create_api_key EMAIL` makes one."
            )
        url = options["url"].rstrip("/")
        async with new_session(max(options["users"]) + 1) as session:
            offered = await list_models(session, url, keys[0])
            plan = Plan(
                url=url,
                keys=tuple(keys),
                models=_choose(offered, options["model"], is_all=options["all_models"]),
                doors=_doors(options["door"], options["group"]),
                users=options["users"],
                answers_each=options["answers"],
                text=options["text"],
                max_tokens=options["tokens"],
                group=options["group"],
            )
            started_at = datetime.now(UTC).isoformat(timespec="seconds")
            self.stderr.write(f"{len(plan.steps)} scenarios, {plan.answers} answers, at {url}")
            for model, sample in (await warm_up(session, plan, plan.models)).items():
                if sample.error:
                    self.stderr.write(
                        f"{model} does not answer ({sample.error}); it is measured all the same."
                    )
            scenarios = []
            for step in plan.steps:
                model, door, users = step
                progress = Progress(f"{model}, {door}, users: {users}", users * plan.answers_each)

                def note(sample: Sample, progress: Progress = progress) -> None:
                    progress.add(sample.tokens, is_failed=bool(sample.error))

                scenarios.append(await run_scenario(session, plan, step, note))
                progress.end()
        return Run(started_at, url, options["label"], plan.max_tokens, tuple(scenarios))

    def _tell(self, run: Run, before: Run | None, folder: Path, name: str, *, is_saved: bool) -> None:
        changes = compare(before, run) if before else []
        self.stdout.write(f"\n{table_of(run.scenarios)}\n")
        for scenario in run.scenarios:
            for code, count in scenario.errors.items():
                self.stdout.write(f"{scenario.model}, {scenario.users} users: {count} × {code}")
        if changes:
            self.stdout.write(f"\n{changes_table(changes)}\n")
        elif before:
            self.stdout.write("The two runs have no scenario in common.")
        report = folder / f"{name}.html"
        write_report(run, report, before=before, changes=changes)
        if is_saved:
            self.stdout.write(f"Saved as {folder / f'{name}.json'}")
        self.stdout.write(f"Report: {report}")


def _choose(offered: list[str], wanted: list[str], *, is_all: bool) -> tuple[str, ...]:
    if not offered:
        raise BenchmarkError(
            "No chat model is offered. Set INFERENCE_URL, or add a server in the administration."
        )
    if is_all:
        return tuple(offered)
    for name in wanted:
        if name not in offered:
            raise BenchmarkError(f"There is no model {name!r}. Offered are: {', '.join(offered)}.")
    # The list begins with the default one.
    return tuple(wanted) or (offered[0],)
