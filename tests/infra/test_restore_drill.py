"""The restore drill against answers of the tools: it compares, cleans up behind itself, and tells a loss from a gap."""

import json
from typing import Any

import pytest

from operations.drill import PROGRAM, TABLES, main
from tests.infra.conftest import Estate, deployment
from tests.infra.test_estate import rules

HOST = "psql-parlour-dev-k3v9qd.postgres.database.azure.com"
DRILL_HOST = "psql-parlour-dev-k3v9qd-drill.postgres.database.azure.com"


def content(**counts: int) -> str:
    return json.dumps({"counts": counts, "newest": "2026-11-20T08:00:00+00:00"})


def drill_rules(restored: str, **more: dict[str, Any]) -> list[dict[str, Any]]:
    return rules(
        deployment(),
        **more,
        there={"match": f"exec .*{HOST}", "stdout": content(accounts_user=10, chat_message=400)},
        restored={"match": f"exec .*{DRILL_HOST}", "stdout": restored},
        restore={"match": "^az postgres flexible-server restore"},
        endpoint={"match": "^az network private-endpoint "},
        removal={"match": "^az postgres flexible-server delete"},
    )


def test_drill_restores_compares_and_removes_what_it_made(
    estate: Estate, capsys: pytest.CaptureFixture[str]
) -> None:
    estate.script(*drill_rules(content(accounts_user=10, chat_message=396)))

    code = main(["--environment", "dev"])

    assert code == 0
    assert "ok       chat_message: 396 of 400 rows" in capsys.readouterr().out
    assert estate.happened_in_order(
        "restore", "private-endpoint create", "dns-zone-group", "private-endpoint delete"
    )
    assert estate.call("flexible-server delete")["command"].count("-drill") == 1


def test_drill_that_lost_rows_fails(estate: Estate, capsys: pytest.CaptureFixture[str]) -> None:
    estate.script(*drill_rules(content(accounts_user=10, chat_message=0)))

    code = main(["--environment", "dev"])

    assert code == 1
    assert "FAILED   chat_message: 0 of 400 rows" in capsys.readouterr().out


def test_drill_that_fails_to_restore_still_removes_and_says_why(
    estate: Estate, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = {
        "match": "^az postgres flexible-server restore",
        "stderr": "ERROR: (ServerBusy) try later",
        "rc": 1,
    }
    estate.script(*drill_rules("", broken=broken))

    code = main(["--environment", "dev"])

    assert code == 1
    assert "ServerBusy" in capsys.readouterr().err
    assert estate.call("flexible-server delete")


def test_drill_keeps_the_server_where_it_is_asked_to(estate: Estate) -> None:
    estate.script(*drill_rules(content(accounts_user=10, chat_message=400)))

    assert main(["--environment", "dev", "--keep"]) == 0
    assert not any("delete" in command for command in estate.commands)


def test_drill_in_a_dry_run_runs_nothing(estate: Estate) -> None:
    assert main(["--dry-run"]) == 0
    assert estate.calls == []


@pytest.mark.django_db(transaction=True)
def test_drill_program_counts_the_real_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text that runs in the pod, run here against the real schema."""
    from django.db import connection

    given = connection.settings_dict
    host = given["HOST"] or "127.0.0.1"
    url = f"postgresql://{given['USER']}:{given['PASSWORD']}@{host}:{given['PORT']}/{given['NAME']}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setattr("sys.argv", ["-c", host, *TABLES])

    exec(PROGRAM, {})

    assert set(json.loads(capsys.readouterr().out)["counts"]) == set(TABLES)
