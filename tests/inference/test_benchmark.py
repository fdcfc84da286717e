"""`manage.py benchmark` measures what comes over the network, and says what changed since."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from inference.benchmark.results import (
    Percentiles,
    Run,
    RunUnreadable,
    Sample,
    Scenario,
    add_up,
    compare,
    load,
    percentiles,
    save,
)
from tests.chat.conftest import (  # noqa: F401  (fixtures)
    estate,
    key,
    model_server,
    other_key,
    shared_model_server,
    shared_web,
    web,
)
from tests.openai_server import Refusal, ScriptedServer
from tests.processes import Process


def scenario(users: int = 1, *, first: float = 0.1, tokens: int = 100, model: str = "a") -> Scenario:
    samples = [Sample(first, first + 1, tokens) for _ in range(users)]
    return add_up(model=model, door="http", users=users, seconds=1 + first, samples=samples)


def run_of(*scenarios: Scenario) -> Run:
    return Run("2026-01-01T00:00:00+00:00", "http://here", "", 150, scenarios)


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(n) for n in range(1, 101)]
    assert percentiles(values) == Percentiles(50, 95, 99)
    assert percentiles(values, is_more_better=True) == Percentiles(51, 6, 2)
    assert percentiles([3.0]) == Percentiles(3, 3, 3)
    assert percentiles([]) == Percentiles()


def test_failures_count_and_are_not_timed() -> None:
    samples = [Sample(0.5, 2.5, 101), Sample(None, 9.0, 0, "rate_limited")]
    found = add_up(model="a", door="http", users=2, seconds=10, samples=samples)
    assert (found.answers, found.failed, found.errors) == (2, 1, {"rate_limited": 1})
    assert (found.first_token.p99, found.duration.p99, found.speed.p50) == (0.5, 2.5, 50)
    assert found.total_speed == pytest.approx(10.1)


def test_comparison_tells_better_from_worse_and_from_the_same() -> None:
    before = run_of(scenario(1, first=0.100, tokens=100), scenario(8))
    now = run_of(scenario(1, first=0.050, tokens=50), scenario(16))
    verdicts = {change.measure: change.verdict for change in compare(before, now)}
    assert verdicts["first token p50"] == "better"
    assert verdicts["tokens per second, one answer"] == "worse"
    assert verdicts["whole answer p50"] == "same"


def test_run_is_read_as_it_was_saved(tmp_path: Path) -> None:
    run = run_of(scenario(3))
    save(run, tmp_path / "a.json")
    assert load(tmp_path / "a.json") == run
    (tmp_path / "b.json").write_text("{}")
    for name in ("b.json", "none.json"):
        with pytest.raises(RunUnreadable, match=name):
            load(tmp_path / name)


def test_two_saved_runs_are_compared_without_a_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(run_of(scenario(1, first=0.1)), tmp_path / "before.json")
    save(run_of(scenario(1, first=0.3)), tmp_path / "after.json")
    paths = [str(tmp_path / name) for name in ("before.json", "after.json")]
    call_command("benchmark", "--compare", *paths, "--out", str(tmp_path))
    assert "worse" in capsys.readouterr().out
    assert "+200" in (tmp_path / "before-and-after.html").read_text()


@pytest.mark.parametrize("door", ["http", "socket"])
def test_operator_measures_through_the_real_doors(
    web: Process,  # noqa: F811
    key: str,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    door: str,
) -> None:
    call_command(
        "benchmark",
        *("--url", web.url, "--key", key, "--users", "1,3", "--answers", "2", "--tokens", "25"),
        *("--door", door, "--out", str(tmp_path)),
    )
    (saved,) = tmp_path.glob("*.json")
    scenarios = load(saved).scenarios
    assert [(each.users, each.answers, each.failed) for each in scenarios] == [(1, 2, 0), (3, 6, 0)]
    assert scenarios[1].tokens == 150
    assert all(each.first_token.p99 and each.first_token.p99 <= each.duration.p99 for each in scenarios)
    assert "pace-0" in capsys.readouterr().out
    (report,) = tmp_path.glob("*.html")
    text = report.read_text()
    assert text.count("<svg") == 3
    assert "http://" not in text.replace(web.url, "")
    assert "<script" not in text


def test_failures_are_named_and_the_rest_is_measured(
    web: Process,  # noqa: F811
    key: str,  # noqa: F811
    model_server: ScriptedServer,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # The first answer warms up.
    model_server.answer_everything = Refusal(400, "no")
    call_command(
        "benchmark", "--url", web.url, "--key", key, "--users", "2", "--answers", "1", "--out", str(tmp_path)
    )
    (saved,) = tmp_path.glob("*.json")
    errors = json.loads(saved.read_text())["scenarios"][0]["errors"]
    assert sum(errors.values()) == 2
    assert next(iter(errors)) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "An API key is needed"),
        (["--key", "plr_wrong"], "not valid"),
        (["--key", "KEY", "--model", "nobody"], "no model 'nobody'. Offered are: pace-0"),
        (["--key", "KEY", "--url", "http://127.0.0.1:1"], "does not answer at"),
        (["--key", "KEY", "--against", "/nowhere.json"], "/nowhere.json is no saved run"),
    ],
)
def test_operator_is_told_what_stands_in_the_way(
    web: Process,  # noqa: F811
    key: str,  # noqa: F811
    tmp_path: Path,
    arguments: list[str],
    words: str,
) -> None:
    given = [key if argument == "KEY" else argument for argument in arguments]
    with pytest.raises(CommandError, match=words):
        call_command("benchmark", "--url", web.url, "--out", str(tmp_path), *given)


def test_operator_measures_what_a_noisy_person_costs_the_others(
    web: Process,  # noqa: F811
    key: str,  # noqa: F811
    other_key: str,  # noqa: F811
    model_server: ScriptedServer,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keys = tmp_path / "keys.txt"
    ask = ["benchmark_fairness", "--url", web.url, "--keys", str(keys), "--requests", "3", "--rounds", "1"]
    keys.write_text(key)
    with pytest.raises(CommandError, match="Two keys are needed"):
        call_command(*ask)
    keys.write_text(f"{key}\n{other_key}\n")
    call_command(*ask, "--lead", "0", "--tokens", "5")
    assert "1 with 3 requests, 1 others with 1 each" in capsys.readouterr().out
    model_server.answer_everything = Refusal(400, "no")
    with pytest.raises(CommandError, match="An answer failed"):
        call_command(*ask)
