"""The pipelines fit their schemas (copies in check-jsonschema), run commands that exist and hold no secret."""

import json
import re
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from operations.cli import build_parser

REPOSITORY = Path(__file__).parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
AZURE = sorted((REPOSITORY / ".azuredevops").glob("*.yml"))
TEMPLATES = sorted((REPOSITORY / ".azuredevops/templates").glob("*.yml"))


def schema(name: str) -> Draft7Validator:
    vendor = files("check_jsonschema") / "builtin_schemas" / "vendor"
    return Draft7Validator(json.loads((vendor / f"{name}.json").read_text()))


def load(text: str, kind: str = "safe") -> dict[str, Any]:
    # YAML 1.2: in 1.1 the key `on` would be read as true.
    content: dict[str, Any] = YAML(typ=kind, pure=True).load(text)
    return content


def load_azure(text: str) -> dict[str, Any]:
    """Azure Pipelines takes every scalar for a string, and so does its schema."""
    return load(text, "base")


def expand(path: Path) -> dict[str, Any]:
    """An Azure pipeline with its templates put in, as the service does it before it looks at the schema."""
    pipeline = load_azure(path.read_text())
    stages = []
    for stage in pipeline["stages"]:
        if "template" not in stage:
            stages.append(stage)
            continue
        text = (path.parent / stage["template"]).read_text()
        declared = {one["name"] for one in load_azure(text)["parameters"]}
        assert declared == set(stage["parameters"]), f"{stage['template']} has the parameters {declared}"
        for name, value in stage["parameters"].items():
            text = text.replace(f"${{{{ parameters.{name} }}}}", value)
        assert "${{" not in text
        stages += load_azure(text)["stages"]
    return {**pipeline, "stages": stages}


def complaints(validator: Draft7Validator, content: Any) -> list[str]:
    return [error.message[:200] for error in validator.iter_errors(content)]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_github_workflow_fits_the_schema(path: Path) -> None:
    assert complaints(schema("github-workflows"), load(path.read_text())) == []


@pytest.mark.parametrize("path", AZURE, ids=lambda path: path.name)
def test_azure_pipeline_fits_the_schema_with_its_templates_put_in(path: Path) -> None:
    assert complaints(schema("azure-pipelines"), expand(path)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("runs-on:", "run-on:"),
        ("permissions:\n  contents: read", "permissions:\n  content: read"),
        ("steps:", "step:"),
    ],
)
def test_schema_finds_a_slip_in_a_workflow(old: str, new: str) -> None:
    text = (REPOSITORY / ".github/workflows/deploy.yml").read_text()
    assert old in text

    assert complaints(schema("github-workflows"), load(text.replace(old, new)))


@pytest.mark.parametrize(("old", "new"), [("runOnce", "runTwice"), ("task", "tasks"), ("steps", "step")])
def test_schema_finds_a_slip_in_a_pipeline(old: str, new: str) -> None:
    text = json.dumps(expand(REPOSITORY / ".azuredevops/application.yml"))
    assert f'"{old}"' in text

    assert complaints(schema("azure-pipelines"), json.loads(text.replace(f'"{old}"', f'"{new}"')))


def estate_commands(path: Path) -> Iterator[list[str]]:
    """The estate.py command lines of a file, with its variables filled in."""
    for line in re.findall(r"infra/estate\.py (.+)", path.read_text()):
        for expression, value in {
            '"$ENVIRONMENT"': "dev",
            "${{ parameters.environment }}": "dev",
            '"$GITHUB_SHA"': "0123456789ab",
            '"$(Build.SourceVersion)"': "0123456789ab",
            " $DRIFT": " --fail-on-change",
            " $IMAGES_FROM": " --images-from dev",
            " ${{ parameters.imagesFrom }}": " --images-from dev",
        }.items():
            line = line.replace(expression, value)
        assert "$" not in line, line
        yield line.split()


@pytest.mark.parametrize(
    "path", [*WORKFLOWS, *AZURE, *TEMPLATES], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_pipeline_runs_only_commands_that_estate_has(path: Path) -> None:
    for command in estate_commands(path):
        build_parser().parse_args(command)


def test_both_services_run_the_same_commands() -> None:
    def commands(paths: list[Path]) -> set[str]:
        return {" ".join(command) for path in paths for command in estate_commands(path)} - {
            "--environment dev up --what-if"  # GitHub says it in one line with --fail-on-change
        }

    assert commands(WORKFLOWS) == commands([*AZURE, *TEMPLATES])
    assert len(commands(WORKFLOWS)) == 5


@pytest.mark.parametrize(
    "path", [*WORKFLOWS, *AZURE, *TEMPLATES], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_pipeline_signs_in_without_a_secret(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"secrets\.|client-secret|servicePrincipalKey|password", text, re.IGNORECASE)
    assert not re.search(r"uses: \S+@(main|master|latest)", text)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_asks_for_the_token_where_it_signs_in_and_runs_nothing_that_others_write(path: Path) -> None:
    workflow = load(path.read_text())

    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        steps = job.get("steps", [])
        signs_in = "uses" in job or any("azure/login" in step.get("uses", "") for step in steps)
        assert (job.get("permissions", {}).get("id-token") == "write") == signs_in
        # An expression in a script is filled in before the shell reads it: a branch's name could be a command.
        assert not any("${{" in step.get("run", "") for step in steps)


def test_rollback_goes_back_only_from_a_release_that_was_made_and_failed_its_smoke_test() -> None:
    """A build that breaks, or a release that Helm took back itself, must not cost the healthy one before it."""
    jobs = [
        job
        for stage in expand(REPOSITORY / ".azuredevops/application.yml")["stages"]
        for job in stage["jobs"]
        if "deployment" in job
    ]
    assert len(jobs) == 2
    for job in jobs:
        assert set(job["strategy"]["runOnce"]) == {"deploy"}, "`on: failure` asks nobody what failed"
        release, _, back = job["strategy"]["runOnce"]["deploy"]["steps"][2:]
        script = release["inputs"]["inlineScript"]
        assert script.index(" up ") < script.index("task.setvariable variable=released]true")
        assert back["condition"] == "and(failed(), eq(variables.released, true))"
        assert " rollback" in back["inputs"]["inlineScript"]
    steps = load((REPOSITORY / ".github/workflows/deploy.yml").read_text())["jobs"]["release"]["steps"]
    assert steps[-1]["if"] == "failure() && steps.smoke.outcome == 'failure'"
    assert steps[-2]["id"] == "smoke"


def test_prod_takes_the_images_that_dev_has_tested() -> None:
    for name in ("application", "infrastructure"):
        stages = load((REPOSITORY / f".azuredevops/{name}.yml").read_text())["stages"]
        given = {
            s["parameters"]["environment"]: s["parameters"]["imagesFrom"] for s in stages if "template" in s
        }
        assert given == {"dev": "", "prod": "--images-from dev"}
    jobs = load((REPOSITORY / ".github/workflows/application.yml").read_text())["jobs"]
    assert (jobs["prod"]["needs"], jobs["prod"]["with"]["images-from"]) == ("dev", "dev")
    assert "images-from" not in jobs["dev"]["with"]


def test_pull_request_shows_what_would_change_in_every_environment() -> None:
    stages = {one["stage"]: one for one in expand(REPOSITORY / ".azuredevops/infrastructure.yml")["stages"]}

    for environment in ("dev", "prod"):
        # An environment's deployment is left out in a pull request, and whatever waits for it as well.
        assert stages[f"{environment}_what_if"]["dependsOn"] == "compile"
        assert "condition" not in stages[f"{environment}_what_if"]
    assert stages["prod_apply"]["dependsOn"] == ["prod_what_if", "dev_apply"]


def test_pipelines_deploy_only_environments_that_have_parameters() -> None:
    known = {path.stem for path in (REPOSITORY / "infra/params").glob("*.json")}
    for path in AZURE:
        named = {
            one["parameters"]["environment"] for one in load(path.read_text())["stages"] if "template" in one
        }
        assert named <= known
    for path in WORKFLOWS:
        for job in load(path.read_text())["jobs"].values():
            matrix = job.get("strategy", {}).get("matrix", {}).get("environment", [])
            assert {*matrix, job.get("with", {}).get("environment", "dev")} <= known


@pytest.mark.parametrize("program", ["estate.py", "restore_drill.py"])
def test_program_that_pipelines_start_can_be_started(program: str) -> None:
    done = subprocess.run(
        [REPOSITORY / "infra" / program, "--help"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "--environment" in done.stdout
