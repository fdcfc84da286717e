"""One run of checkov over all there is: every resource that the chart's scenarios render, the Dockerfile, and the
estates of infra/params as they would be deployed. Both folders of tests read its findings.

On Bicep itself checkov sees neither modules nor parameters, so it is given the resources that `evaluate` finds.
`tests.background` writes the report while other tests run.
"""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests import fetched_tools
from tests.helm import chart
from tests.infra import bicep
from tests.infra.test_scenarios import estate

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
FRAMEWORKS = ("kubernetes", "dockerfile", "arm")

# Framework to what checkov says of it.
Report = dict[str, dict[str, Any]]


def read_report(file: Path) -> Report:
    """The report in `file`, which is written now if it is not there yet; skips where checkov cannot be had."""
    if not file.exists():
        write_report(file)
    report = {part["check_type"]: part for part in json.loads(file.read_text())}
    assert set(report) == set(FRAMEWORKS)
    return report


def write_report(file: Path) -> None:
    """checkov's report as JSON, a list of one entry per framework."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_scenarios(folder)
        (folder / "Dockerfile").write_bytes((chart.HELM.parent / "Dockerfile").read_bytes())
        for path in (bicep.INFRA / "params").glob("*.json"):
            (folder / path.name).write_text(json.dumps(as_template(path.stem)))
        # Without a platform key checkov knows no severities, so every finding counts.
        command = [str(fetched_tools.checkov()), "--directory", name, "--framework", *FRAMEWORKS]
        done = subprocess.run(
            [*command, "--skip-download", "--compact", "--quiet", "--output", "json"],
            capture_output=True,
            text=True,
            check=False,
        )
    draft = file.with_suffix(".draft")
    draft.write_text(done.stdout)
    draft.replace(file)


def _write_scenarios(folder: Path) -> None:
    """A file for each scenario, and in it the resources that none before it has."""
    seen: set[str] = set()
    for scenario in chart.SCENARIOS:
        new = []
        for document in chart.render(scenario):
            text = json.dumps(document, sort_keys=True)
            if text not in seen:
                seen.add(text)
                new.append(document)
        (folder / f"{scenario}.yaml").write_text(yaml.dump_all(new, Dumper=yaml.CSafeDumper))


def as_template(name: str) -> dict[str, Any]:
    """An estate's resources as a template of Azure Resource Manager."""
    resources = []
    for one in estate(name)[0]:
        body = {key: value for key, value in one.body.items() if key not in bicep.META and value is not None}
        version = bicep.TYPES["resources"][one.type]["api_version"]
        resources.append({"type": one.type, "apiVersion": version, "name": one.name, **body})
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": resources}
