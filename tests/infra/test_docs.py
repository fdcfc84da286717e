"""The pages in docs/: their commands are run dry, their links lead somewhere, and what they name exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from operations import drill
from operations.cli import build_parser
from tests.infra import bicep
from tests.infra.conftest import Estate

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted((REPOSITORY / "docs").glob("*.md"))
ESTATE = "infra/estate.py "
DRILL = "infra/restore_drill.py"
FOLDERS = [
    *("accounts", "characters", "chat", "config", "documents", "inference"),
    *("docs", "helm", "infra", "tests", r"\.github", r"\.azuredevops"),
]


def shell_lines(page: Path) -> Iterator[str]:
    """Command lines of the fenced `sh` blocks, continued lines joined."""
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip() and not line.strip().startswith("#"):
                yield line.strip()


def commands(tool: str) -> list[list[str]]:
    found = [line for page in PAGES for line in shell_lines(page) if line.startswith(tool)]
    assert found
    return [shlex.split(line, comments=True)[1:] for line in sorted(set(found))]


@pytest.mark.parametrize("command", commands(ESTATE), ids=" ".join)
def test_documented_estate_command_runs_dry(estate: Estate, command: list[str]) -> None:
    done = estate.run("--dry-run", *[word for word in command if word != "--dry-run"])

    assert done.returncode == 0, done.stderr
    assert estate.calls == []


@pytest.mark.parametrize("command", commands(DRILL), ids=" ".join)
def test_documented_drill_runs_dry(estate: Estate, command: list[str]) -> None:
    assert drill.main([*command, "--dry-run"]) == 0
    assert estate.calls == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_names_estate_commands_that_exist_also_in_passing(page: Path) -> None:
    for command in re.findall(r"`infra/estate\.py ([^`]+)`", page.read_text()):
        build_parser().parse_args(shlex.split(command))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_has_commands_that_a_shell_can_read(page: Path) -> None:
    for line in shell_lines(page):
        assert shlex.split(line, comments=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_links_to_what_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("https://", "http://")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_names_files_that_are_there(page: Path) -> None:
    for name in re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)`", page.read_text()):
        assert (REPOSITORY / name).exists(), name


def known_names() -> set[str]:
    """Parameters of the templates, keys of the chart, and properties of the Azure types that pages speak of."""

    def keys(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for key, item in value.items():
                yield str(key)
                yield from keys(item)

    names = {
        name
        for path in bicep.all_files()
        for name in [*bicep.read(path).parameters, *bicep.read(path).outputs]
    }
    names |= set(keys(yaml.safe_load((REPOSITORY / "helm/values.yaml").read_text())))
    names |= {name for model in bicep.TYPES["classes"].values() for name in model["properties"]}
    names |= {"maxUnavailable", "minReplicas"}  # Kubernetes' own
    return names | {"retailPrice", "unitOfMeasure", "meterName"}  # the Retail Prices API's


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name not in {"helm.md", "alerts.md", "compose.md"}],
    ids=lambda p: p.name,
)
def test_page_names_settings_that_exist(page: Path) -> None:
    written = set(re.findall(r"`([a-z]+(?:[A-Z][a-z0-9]+)+)(?:: ?[^`]*)?`", page.read_text()))

    assert written <= known_names()


def test_every_command_of_estate_is_documented() -> None:
    text = "".join(page.read_text() for page in PAGES)
    (actions,) = [action for action in build_parser()._actions if action.dest == "command"]

    assert [
        name for name in actions.choices or () if not re.search(rf"estate\.py [^\n`]*\b{name}\b", text)
    ] == []


def test_index_leads_to_every_page() -> None:
    index = (REPOSITORY / "docs/README.md").read_text()

    assert [page.name for page in PAGES if page.name != "README.md" and f"({page.name})" not in index] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_names_no_amount_of_money(page: Path) -> None:
    assert not re.search(r"[€$£]\s?\d|\d+\s?(USD|EUR|dollars?|euros?)\b", page.read_text())


def test_price_query_asks_for_fields_and_sizes_that_exist() -> None:
    sizes = {
        word
        for path in (REPOSITORY / "infra/params").glob("*.json")
        for word in re.findall(r"Standard_\w+", path.read_text())
    }
    queries = [line for page in PAGES for line in shell_lines(page) if "prices.azure.com" in line]
    assert len(queries) == 3
    for query in queries:
        conditions = re.findall(r"(\w+) eq '([^']+)'", query)
        assert {name for name, _ in conditions} <= {"serviceName", "armRegionName", "armSkuName", "priceType"}
        for name, value in conditions:
            assert name != "armSkuName" or value in sizes


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_diagrams_are_of_kinds_that_are_drawn_and_close_what_they_open(page: Path) -> None:
    for block in re.findall(r"```mermaid\n(.*?)```", page.read_text(), re.DOTALL):
        assert re.match(r"(flowchart (LR|TB)|sequenceDiagram)\n", block)
        for opening, closing in ("[]", "()", "{}"):
            assert block.count(opening) == block.count(closing)
        assert len(re.findall(r"^\s*subgraph\b", block, re.MULTILINE)) == len(
            re.findall(r"^\s*end$", block, re.MULTILINE)
        )
