"""What restore_drill.py does: restore beside, compare, time it, clean up."""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from operations.cluster import Cluster
from operations.console import Problem, complain, outcome, say, step
from operations.outputs import Outputs, need_outputs
from operations.settings import INFRA, Estate, read_estate
from operations.tools import Tools

# The oldest moment that is sure to be restorable lies a few minutes back: logs are shipped every five.
MINUTES_BACK = 10
TABLES = ("accounts_user", "chat_conversation", "chat_message", "documents_document")

# Runs in a web pod, which has the credentials and the network. Arguments: the host, then the tables.
PROGRAM = """
import json, os, sys
import psycopg
from psycopg.sql import SQL, Identifier
from urllib.parse import urlsplit
url = os.environ["DATABASE_URL"]
url = url.replace(urlsplit(url).hostname, sys.argv[1])
with psycopg.connect(url, connect_timeout=30) as connection:
    def ask(text, table):
        return connection.execute(SQL(text).format(Identifier(table))).fetchone()[0]
    counts = {table: ask("select count(*) from {}", table) for table in sys.argv[2:]}
    newest = ask("select max(created_at) from {}", "chat_message")
print(json.dumps({"counts": counts, "newest": newest.isoformat() if newest else None}))
"""


@dataclass(frozen=True)
class Content:
    """Rows of the tables that matter, and the time of the newest message."""

    counts: dict[str, int]
    newest: str | None


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="restore_drill.py", description="Restore the database beside itself."
    )
    parser.add_argument("-e", "--environment", default="prod", help="infra/params/NAME.json (prod)")
    parser.add_argument("--subscription", default="")
    parser.add_argument(
        "--minutes-back", type=int, default=MINUTES_BACK, help=f"how far back ({MINUTES_BACK})"
    )
    parser.add_argument("--keep", action="store_true", help="leave the restored server, to go on with it")
    parser.add_argument("--dry-run", action="store_true", help="show what would be run, and run nothing")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    given = build_parser().parse_args(arguments)
    try:
        file = Path(INFRA / "params" / f"{given.environment}.json")
        estate = read_estate(file, given.subscription)
        tools = Tools(is_dry_run=given.dry_run)
        return 0 if drill(tools, estate, minutes_back=given.minutes_back, keep=given.keep) else 1
    except Problem as problem:
        complain(problem)
        return 1


def drill(tools: Tools, estate: Estate, *, minutes_back: int, keep: bool) -> bool:
    """Restore, compare and clean up; True if what was restored is what was there."""
    outputs = need_outputs(tools, estate)
    cluster = Cluster(tools, estate, outputs)
    started = time.monotonic()
    moment = datetime.now(UTC) - timedelta(minutes=minutes_back)
    target = f"{outputs.postgresName}-drill"[:63]
    now = _content(tools, cluster, f"{outputs.postgresName}.postgres.database.azure.com")
    try:
        _restore(tools, estate, outputs, target, moment)
        restored = _content(tools, cluster, f"{target}.postgres.database.azure.com")
    finally:
        if not keep:
            _remove(tools, estate, outputs, target)
    minutes = (time.monotonic() - started) / 60
    return _say(now, restored, moment, minutes)


def _restore(tools: Tools, estate: Estate, outputs: Outputs, target: str, moment: datetime) -> None:
    step(f"Restoring {outputs.postgresName} as of {moment:%Y-%m-%d %H:%M} UTC into {target}")
    group = ("--resource-group", outputs.groupName)
    tools.change(
        *estate.az("postgres", "flexible-server", "restore", *group, "--name", target),
        *("--source-server", outputs.postgresName, "--restore-time", moment.strftime("%Y-%m-%dT%H:%M:%SZ")),
    )
    server = tools.read(
        *estate.az("postgres", "flexible-server", "show", *group, "--name", target),
        *("--query", "id", "--output", "tsv"),
        instead=f"<id of {target}>",
    ).strip()
    step("Giving it a private endpoint, as the real one has")
    tools.change(
        *estate.az("network", "private-endpoint", "create", *group, "--name", f"pe-{target}"),
        *("--vnet-name", f"vnet-{estate.name}", "--subnet", "endpoints", "--connection-name", "drill"),
        *("--private-connection-resource-id", server, "--group-id", "postgresqlServer"),
    )
    tools.change(
        *estate.az("network", "private-endpoint", "dns-zone-group", "create", *group),
        *("--endpoint-name", f"pe-{target}", "--name", "default", "--zone-name", "postgres"),
        *("--private-dns-zone", "privatelink.postgres.database.azure.com"),
    )


def _remove(tools: Tools, estate: Estate, outputs: Outputs, target: str) -> None:
    """Take away what the drill made, also after a failure: a forgotten server costs like the real one."""
    step(f"Removing {target}")
    group = ("--resource-group", outputs.groupName)
    for command in (
        estate.az("network", "private-endpoint", "delete", *group, "--name", f"pe-{target}"),
        estate.az("postgres", "flexible-server", "delete", *group, "--name", target, "--yes"),
    ):
        try:
            tools.change(*command)
        except Problem as problem:
            say(f"Not removed, look yourself: {problem.what}")


def _content(tools: Tools, cluster: Cluster, host: str) -> Content:
    step(f"Counting rows in {host.split('.')[0]}")
    text = cluster.in_web_pod(
        "python", "-c", PROGRAM, host, *TABLES, instead='{"counts": {}, "newest": null}'
    )
    found = json.loads(text)
    return Content(found["counts"], found["newest"])


def _say(now: Content, restored: Content, moment: datetime, minutes: float) -> bool:
    fine = True
    for table, count in now.counts.items():
        there = restored.counts.get(table, 0)
        # Rows made after the moment are missing by intent; a table that lost half of its rows lost data.
        is_there = there >= count * 0.5 if count else True
        fine = fine and is_there
        outcome(is_there, table, f"{there} of {count} rows")
    if restored.newest:
        gap = moment - datetime.fromisoformat(restored.newest)
        outcome(True, "newest message", f"{gap.total_seconds() / 60:.1f} minutes before the moment asked for")
    say(f"The database was back after {minutes:.0f} minutes.")
    return fine
