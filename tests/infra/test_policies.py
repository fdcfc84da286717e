"""checkov over the estates of params/*.json as they would be deployed: evaluated, with every value in its place.

On Bicep itself checkov sees neither modules nor parameters; so it is given the resources that `evaluate` finds.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests import fetched_tools
from tests.infra import bicep
from tests.infra.test_scenarios import estate

EXCEPTIONS = yaml.safe_load((bicep.INFRA / "checkov-exceptions.yaml").read_text())
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def as_template(name: str) -> dict[str, Any]:
    resources = []
    for one in estate(name)[0]:
        body = {key: value for key, value in one.body.items() if key not in bicep.META and value is not None}
        version = bicep.TYPES["resources"][one.type]["api_version"]
        resources.append({"type": one.type, "apiVersion": version, "name": one.name, **body})
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": resources}


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    program = fetched_tools.checkov()
    folder = tmp_path_factory.mktemp("arm")
    for path in (bicep.INFRA / "params").glob("*.json"):
        (folder / path.name).write_text(json.dumps(as_template(path.stem)))
    command = [str(program), "--directory", str(folder), "--framework", "arm"]
    done = subprocess.run(
        [*command, "--skip-download", "--compact", "--quiet", "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
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
