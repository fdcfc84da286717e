"""Writes helm/README.md: what stands in README.head.md, then a reference of every value.

`python helm/tools/reference.py`. A value's description is the comment that starts with `# --` right above it in
values.yaml; its type comes from values.schema.json, its default from values.yaml. A key without a description is
named and refused, unless its children are described.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HELM = Path(__file__).resolve().parent.parent
# A default longer than this is shown by its kind alone; values.yaml has it.
LONGEST_DEFAULT = 60


@dataclass(frozen=True)
class Value:
    """One row of the reference."""

    path: tuple[str, ...]
    kind: str
    default: Any
    note: str


def main() -> int:
    try:
        (HELM / "README.md").write_text(render())
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def render() -> str:
    """README.md whole; ValueError names keys without a description."""
    lines = [(HELM / "tools" / "README.head.md").read_text().rstrip(), ""]
    section = ""
    for value in read_values():
        if value.path[0] != section:
            section = value.path[0]
            lines += ["", f"### {section}", "", "| key | type | default | what |", "|---|---|---|---|"]
        lines.append(
            f"| `{'.'.join(value.path)}` | {value.kind} | {_default(value.default)} | {_cell(value.note)} |"
        )
    return "\n".join(lines) + "\n"


def read_values(chart: Path = HELM) -> list[Value]:
    """Every described key of the chart's values.yaml, in its order."""
    text = (chart / "values.yaml").read_text()
    schema = json.loads((chart / "values.schema.json").read_text())
    comments = _comments(text)
    values, undescribed = [], []
    for path, line, node in _walk(yaml.compose(text)):
        note = comments.get(line, "")
        if note:
            values.append(
                Value(path, _kind(schema, schema, path), yaml.safe_load(yaml.serialize(node)), note)
            )
        elif not isinstance(node, yaml.MappingNode) and not any(
            path[: len(v.path)] == v.path for v in values
        ):
            undescribed.append(".".join(path))
    if undescribed and (bare := [path for path in undescribed if ".probes." not in path]):
        raise ValueError("values.yaml: no description above " + ", ".join(bare))
    return values


def _walk(
    node: yaml.Node | None, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, key.value)
            yield here, key.start_mark.line, value
            yield from _walk(value, here)


def _comments(text: str) -> dict[int, str]:
    """Line of a key to the description that ends right above it."""
    found: dict[int, str] = {}
    gathered: list[str] = []
    for number, raw in enumerate(text.splitlines()):
        line = raw.strip()
        if line.startswith("# --"):
            gathered = [line.removeprefix("# --").strip()]
        elif line.startswith("#") and gathered:
            gathered.append(line.removeprefix("#").strip())
        else:
            if gathered and line:
                found[number] = " ".join(gathered)
            gathered = []
    return found


def _kind(root: dict[str, Any], schema: dict[str, Any], path: tuple[str, ...]) -> str:
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if path:
        child = schema.get("properties", {}).get(path[0], schema.get("additionalProperties"))
        return _kind(root, child, path[1:])
    if "enum" in schema:
        return "one of " + ", ".join(f"`{choice}`" for choice in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(root, choice, ()) for choice in schema["anyOf"])
    kinds = schema.get("type", "object")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return " or ".join("list" if kind == "array" else "map" if kind == "object" else kind for kind in kinds)


def _default(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= LONGEST_DEFAULT:
        return f"`{_cell(text)}`"
    return "see values.yaml"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
