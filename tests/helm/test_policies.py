"""checkov over everything that the chart renders, hadolint and checkov over the Dockerfile."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm import chart
from tests.policies import Report

ROOT = chart.HELM.parent
EXCEPTIONS = yaml.safe_load((chart.HELM / "checkov-exceptions.yaml").read_text())


@pytest.fixture(scope="module")
def findings(checkov_report: Report) -> list[dict[str, Any]]:
    """What checkov finds: each distinct resource of all scenarios, and the Dockerfile."""
    reports = [checkov_report["kubernetes"], checkov_report["dockerfile"]]
    assert sum(report["summary"]["passed"] for report in reports) > 3000
    assert not sum(report["summary"]["parsing_errors"] for report in reports)
    return [finding for report in reports for finding in report["results"]["failed_checks"]]


def explanations_of(finding: dict[str, Any]) -> Iterator[int]:
    for index, exception in enumerate(EXCEPTIONS):
        if exception["check"] == finding["check_id"] and re.fullmatch(
            exception["resources"], finding["resource"]
        ):
            yield index


def test_checkov_finds_nothing_that_is_not_explained(findings: list[dict[str, Any]]) -> None:
    unexplained = sorted(
        {
            f"{finding['check_id']} {finding['check_name']}: {finding['resource']}"
            for finding in findings
            if not any(True for _ in explanations_of(finding))
        }
    )

    assert not unexplained


def test_every_explanation_explains_something(findings: list[dict[str, Any]]) -> None:
    used = {index for finding in findings for index in explanations_of(finding)}

    assert used == set(range(len(EXCEPTIONS)))
    assert all(len(exception["reason"]) > 40 for exception in EXCEPTIONS)


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    program = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([program, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
