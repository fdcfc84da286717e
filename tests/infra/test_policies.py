"""checkov over the estates of params/*.json as they would be deployed: evaluated, with every value in its place."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.infra import bicep
from tests.policies import Report

EXCEPTIONS = yaml.safe_load((bicep.INFRA / "checkov-exceptions.yaml").read_text())


@pytest.fixture(scope="module")
def findings(checkov_report: Report) -> list[dict[str, Any]]:
    report = checkov_report["arm"]
    assert report["summary"]["passed"] > 80
    assert not report["summary"]["parsing_errors"]
    found: list[dict[str, Any]] = report["results"]["failed_checks"]
    return found


def explanations_of(finding: dict[str, Any]) -> Iterator[int]:
    for index, exception in enumerate(EXCEPTIONS):
        if re.fullmatch(exception["check"], finding["check_id"]) and re.fullmatch(
            exception["resources"], finding["resource"]
        ):
            yield index


def test_checkov_finds_nothing_in_the_estates_that_is_not_explained(findings: list[dict[str, Any]]) -> None:
    unexplained = {
        f"{finding['check_id']} {finding['check_name']}: {finding['resource']}"
        for finding in findings
        if not any(True for _ in explanations_of(finding))
    }

    assert not sorted(unexplained)


def test_every_explanation_of_the_estates_explains_something(findings: list[dict[str, Any]]) -> None:
    used = {index for finding in findings for index in explanations_of(finding)}

    assert used == set(range(len(EXCEPTIONS)))
    assert all(len(exception["reason"]) > 40 for exception in EXCEPTIONS)
