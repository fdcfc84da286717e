"""The command line of estate.py: which command, which estate, and how a problem ends the program."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from operations.console import Problem, complain, say
from operations.down import down
from operations.power import start, stop
from operations.preload import preload
from operations.rollback import rollback
from operations.settings import INFRA, Estate, read_estate
from operations.status import status
from operations.tools import Tools
from operations.trials import benchmark, scale_test
from operations.up import preview, up
from operations.verify import verify
from operations.wipe import wipe_data

Run = Callable[[Tools, Estate, argparse.Namespace], bool | None]


def build_parser() -> argparse.ArgumentParser:
    """Everything estate.py understands; the docs' commands are parsed with it, too."""
    parser = argparse.ArgumentParser(
        prog="estate.py", description="Parlour's estate on Azure, by one command."
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("-e", "--environment", default="dev", help="infra/params/NAME.json (dev)")
    which.add_argument("--parameters", type=Path, help="another parameter file")
    parser.add_argument("--subscription", default="", help="name or id; the az session's own where left out")
    parser.add_argument("--dry-run", action="store_true", help="show what would be run, and run nothing")
    parser.add_argument(
        "--poll", type=float, default=5, metavar="SECONDS", help="between two looks at work (5)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, explanation: str, run: Run) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=explanation, description=explanation)
        command.set_defaults(run=run)
        return command

    _add_life(add)
    _add_checks(add)
    _add_ends(add)
    return parser


def _add_life(add: Callable[[str, str, Run], argparse.ArgumentParser]) -> None:
    one = add("up", "From nothing to a URL; repeat it to upgrade.", _up)
    one.add_argument("--what-if", action="store_true", help="ask Azure what would change, and change nothing")
    one.add_argument(
        "--fail-on-change", action="store_true", help="with --what-if: exit with 1 if anything differs"
    )
    one.add_argument(
        "--application-only", action="store_true", help="leave Azure as it is; images and release only"
    )
    one.add_argument("--tag", default="", help="image tag to build or use; the commit where left out")
    one.add_argument(
        "--images-from",
        default="",
        metavar="ENVIRONMENT",
        help="take images by digest from that estate's registry instead of building them",
    )
    one.add_argument(
        "--images-subscription", default="", metavar="NAME", help="where that estate is, if elsewhere"
    )
    one.add_argument(
        "--certificate", default="", metavar="URI", help="Key Vault certificate instead of Let's Encrypt"
    )
    one.add_argument(
        "--values", action="append", default=[], metavar="FILE", help="further values of the chart"
    )
    one.add_argument(
        "--wait", type=int, default=900, metavar="SECONDS", help="for the address to answer (900)"
    )
    add("rollback", "The release that ran before, again.", lambda tools, estate, _: rollback(tools, estate))
    add("status", "What there is, and whether it runs.", lambda tools, estate, _: status(tools, estate))
    add("stop", "Stop what costs by the hour; data stays.", lambda tools, estate, _: stop(tools, estate))
    add("start", "Start what `stop` stopped.", lambda tools, estate, _: start(tools, estate))


def _add_checks(add: Callable[[str, str, Run], argparse.ArgumentParser]) -> None:
    one = add("verify", "Pods, pgvector, GPU metrics, a real chat, a real cited answer.", _verify)
    one.add_argument("--url", default="", help="another address of the same Parlour")
    one = add("preload", "Fetch models before anybody asks for them.", _preload)
    one.add_argument(
        "models", nargs="*", metavar="MODEL", help="NAME:TAG, OWNER/NAME or FILE.gguf; else the values'"
    )
    one = add("scale-test", "Load it, and watch it scale.", _scale_test)
    one.add_argument("--streams", type=int, default=50)
    one.add_argument("--seconds", type=int, default=600)
    one.add_argument("--model", default="")
    one.add_argument("--url", default="")
    one = add("benchmark", "Time to the first piece, and pieces a second, under load.", _benchmark)
    one.add_argument("--streams", type=int, default=8)
    one.add_argument("--answers", type=int, default=40)
    one.add_argument("--model", default="")
    one.add_argument("--url", default="")


def _add_ends(add: Callable[[str, str, Run], argparse.ArgumentParser]) -> None:
    one = add("wipe-data", "Delete every user, conversation, document and file.", _wipe_data)
    one.add_argument("--confirm", metavar="NAME", help="the estate's name, where there is no terminal")
    one = add("down", "Delete the estate, KAITO's left-over GPU pools included.", _down)
    one.add_argument("--confirm", metavar="NAME", help="the estate's name, where there is no terminal")
    one.add_argument(
        "--keep-azure", action="store_true", help="remove the application and KAITO's pools only"
    )
    one.add_argument(
        "--purge", action="store_true", help="purge the vault, too; it cannot be brought back then"
    )


def _up(tools: Tools, estate: Estate, given: argparse.Namespace) -> bool:
    if given.what_if:
        return preview(tools, estate, fail_on_change=given.fail_on_change)
    tested_in = None
    if given.images_from:
        file = INFRA / "params" / f"{given.images_from}.json"
        tested_in = read_estate(file, given.images_subscription or estate.subscription)
    up(
        tools,
        estate,
        tag=given.tag,
        images_from=tested_in,
        certificate_uri=given.certificate,
        values=tuple(given.values),
        wait_seconds=given.wait,
        application_only=given.application_only,
    )
    return True


def _verify(tools: Tools, estate: Estate, given: argparse.Namespace) -> bool:
    return verify(tools, estate, url=given.url)


def _preload(tools: Tools, estate: Estate, given: argparse.Namespace) -> None:
    preload(tools, estate, given.models)


def _scale_test(tools: Tools, estate: Estate, given: argparse.Namespace) -> bool:
    return scale_test(
        tools,
        estate,
        streams=given.streams,
        seconds=given.seconds,
        model=given.model,
        url=given.url,
    )


def _benchmark(tools: Tools, estate: Estate, given: argparse.Namespace) -> bool:
    return benchmark(
        tools, estate, streams=given.streams, answers=given.answers, model=given.model, url=given.url
    )


def _wipe_data(tools: Tools, estate: Estate, given: argparse.Namespace) -> None:
    wipe_data(tools, estate, given.confirm)


def _down(tools: Tools, estate: Estate, given: argparse.Namespace) -> None:
    down(tools, estate, given.confirm, keep_azure=given.keep_azure, purge=given.purge)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if all went well, 1 if a check failed or something has to be mended first, 130 for an interruption."""
    given = build_parser().parse_args(arguments)
    try:
        file = given.parameters or INFRA / "params" / f"{given.environment}.json"
        estate = read_estate(file, given.subscription)
        result = given.run(Tools(is_dry_run=given.dry_run, poll_seconds=given.poll), estate, given)
    except Problem as problem:
        complain(problem)
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted. What was started in Azure goes on; repeat the command to go on with it.")
        return 130
    return 0 if result in (None, True) else 1
