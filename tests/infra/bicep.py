"""Reads the Bicep of the estate for the tests: parsed files, property checks, undeclared names.

No Bicep compiler can be had where the tests run. What a compiler would refuse and these checks can see:
syntax (pycep), resource types, API versions, properties and enumerated values (azure_types.json), names that
nothing declares, and modules that are called with other parameters than they have. What only Azure can say
(quotas, regions, names that are taken) they cannot.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pycep import BicepParser

INFRA = Path(__file__).parents[2] / "infra"
TYPES = json.loads(Path(__file__).with_name("azure_types.json").read_text())

# What every resource may have besides its body.
META = {"name", "scope", "parent", "dependsOn"}
FUNCTIONS = set(
    """
    any array cidrSubnet concat contains deployment empty environment first guid join json length loadYamlContent
    replace resourceGroup split subscription subscriptionResourceId take tenant toLower toUpper union
    uniqueString uriComponent description minLength maxLength minValue maxValue allowed secure batchSize
    """.split()  # noqa: SIM905
)
# The SDK lists the streams of machines only; those of Kubernetes are in Azure's documentation of AKS.
OPEN_ENUMS = {"enum:monitor.KnownDataFlowStreams", "enum:monitor.KnownExtensionDataSourceStreams"}
KEYWORDS = {
    "targetScope",
    "param",
    "var",
    "resource",
    "module",
    "output",
    "existing",
    "for",
    "in",
    "if",
    "true",
    "false",
    "null",
    "string",
    "int",
    "bool",
    "array",
    "object",
    "subscription",
}


@dataclass(frozen=True)
class BicepFile:
    """One file: its text, its syntax tree as pycep gives it, and the variables a value may stand for."""

    path: Path
    text: str = field(repr=False)
    tree: dict[str, Any] = field(repr=False)

    @property
    def parameters(self) -> dict[str, Any]:
        return self.tree.get("parameters", {})

    @property
    def outputs(self) -> dict[str, Any]:
        return self.tree.get("outputs", {})

    @property
    def modules(self) -> dict[str, Any]:
        return self.tree.get("modules", {})

    @property
    def resources(self) -> dict[str, Any]:
        return self.tree.get("resources", {})

    @property
    def variables(self) -> dict[str, Any]:
        return self.tree.get("variables", {})


def parse(text: str, path: Path = INFRA / "text.bicep") -> BicepFile:
    return BicepFile(path, text, BicepParser().parse(text=text))


@cache
def read(path: Path) -> BicepFile:
    return parse(path.read_text(), path)


def all_files() -> list[Path]:
    return sorted(INFRA.rglob("*.bicep"))


def body_of(config: dict[str, Any]) -> dict[str, Any]:
    """The object under a loop or a condition; a resource or module without either is its own body."""
    while "config" in config and ("loop_type" in config or "condition" in config):
        config = config["config"]
    return config


def resource_problems(file: BicepFile) -> Iterator[str]:
    """Everything about the resources of a file that the types do not know."""
    for symbol, resource in file.resources.items():
        kind, version = resource["type"], resource["api_version"]
        known = TYPES["resources"].get(kind)
        where = f"{file.path.name}: {symbol}"
        if known is None:
            yield f"{where}: no such resource type: {kind}"
            continue
        if version != known["api_version"]:
            yield f"{where}: {kind} is checked at {known['api_version']}, not {version}"
        if resource["existing"]:
            continue
        body = {key: value for key, value in body_of(resource["config"]).items() if _plain(key) not in META}
        yield from _Check(file).value(body, known["body"], where)


def value_problems(value: Any, kind: str, where: str) -> Iterator[str]:
    """The same for a value that has no expressions left."""
    yield from _Check(None).value(value, kind, where)


def _plain(key: str) -> str:
    return key.strip("'")


@dataclass
class _Check:
    """Follows a value and its type down together; expressions that only Azure can evaluate are let through."""

    file: BicepFile | None

    def value(self, value: Any, kind: Any, where: str) -> Iterator[str]:
        if isinstance(value, dict) and isinstance(value.get("function"), dict):
            yield from self._function(value["function"], kind, where)
        elif isinstance(value, dict) and isinstance(value.get("operator"), dict):
            yield from self._operator(value["operator"], kind, where)
        elif isinstance(value, dict) and "loop_type" in value:
            if not isinstance(kind, list):
                yield f"{where}: a list where {kind} is meant"
            else:
                yield from self.value(value["config"], kind[0], f"{where}[]")
        elif isinstance(value, dict):
            yield from self._object(value, kind, where)
        elif isinstance(value, list):
            if kind != "any" and not isinstance(kind, list):
                yield f"{where}: a list where {kind} is meant"
            for item in value:
                yield from self.value(item, kind[0] if isinstance(kind, list) else "any", f"{where}[]")
        elif self.file and isinstance(value, str) and value in self.file.variables:
            yield from self.value(self.file.variables[value]["value"], kind, where)
        elif isinstance(value, str) and self._is_name(value):
            return
        else:
            yield from self._literal(value, kind, where)

    def _is_name(self, text: str) -> bool:
        """Is it a parameter, a loop's variable or a mixture? pycep does not tell names from strings, the text does."""
        if self.file is None:
            return False
        return text in self.file.parameters or "${" in text or text in loop_variables(self.file.text)

    def _function(self, function: dict[str, Any], kind: Any, where: str) -> Iterator[str]:
        arguments = list(function["parameters"].values())
        if function["type"] == "array" and isinstance(kind, list):
            yield from self.value(arguments[0], kind[0], f"{where}[]")
        elif function["type"] in {"concat", "union"}:
            for argument in arguments:
                yield from self.value(argument, kind, where)

    def _operator(self, operator: dict[str, Any], kind: Any, where: str) -> Iterator[str]:
        """Both branches of a condition count; pycep binds `a == b ? c : d` to the right, so look there, too."""
        operands = operator["operands"]
        if operator["type"] == "conditional":
            yield from self.value(operands["true_value"], kind, where)
            yield from self.value(operands["false_value"], kind, where)
            return
        for operand in operands.values():
            if isinstance(operand, dict) and operand.get("operator", {}).get("type") == "conditional":
                yield from self._operator(operand["operator"], kind, where)

    def _object(self, value: dict[str, Any], kind: Any, where: str) -> Iterator[str]:
        if isinstance(kind, str) and kind.startswith("map:"):
            for key, item in value.items():
                yield from self.value(item, kind[4:], f"{where}.{_plain(key)}")
            return
        if kind == "any":
            return
        model = TYPES["classes"].get(kind) if isinstance(kind, str) else None
        if model is None:
            yield f"{where}: an object where {kind} is meant"
            return
        if "discriminator" in model:
            chosen = value.get(model["discriminator"])
            if chosen in model["kinds"]:
                yield from self._object(value, model["kinds"][chosen], where)
                return
            yield f"{where}: {model['discriminator']} is {chosen!r}, not one of {sorted(model['kinds'])}"
        for key, item in value.items():
            name = _plain(key)
            if name in model.get("read_only", ()):
                yield f"{where}.{name}: only Azure sets it"
            elif name not in model["properties"]:
                yield f"{where}.{name}: no such property of {kind}"
            else:
                yield from self.value(item, model["properties"][name], f"{where}.{name}")

    def _literal(self, value: Any, kind: Any, where: str) -> Iterator[str]:
        if value is None or kind == "any":
            return
        if isinstance(kind, str) and kind.startswith("enum:"):
            if kind in OPEN_ENUMS:
                return
            values = TYPES["enums"][kind[5:]]
            if str(value).lower() not in {str(one).lower() for one in values}:
                yield f"{where}: {value!r} is not one of {values}"
            return
        fits = {"str": str, "int": int, "bool": bool, "float": (int, float)}.get(str(kind))
        if fits is None:
            yield f"{where}: {value!r} where {kind} is meant"
        elif not isinstance(value, fits) or (kind in {"int", "float"} and isinstance(value, bool)):
            yield f"{where}: {value!r} is not {kind}"


_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<text>'(?:\\.|\$\{(?:[^{}']|'[^']*')*\}|[^'\\])*')
      | (?P<name>[A-Za-z_]\w*)
      | (?P<other>[^\sA-Za-z_'/]|/)""",
    re.VERBOSE | re.DOTALL,
)


def undeclared_names(file: BicepFile) -> set[str]:
    """Names used in expressions, also inside of strings, that the file does not declare."""
    declared = set(file.parameters) | set(file.variables) | set(file.resources) | set(file.modules)
    declared |= loop_variables(file.text) | FUNCTIONS | KEYWORDS
    return {name for name in _used_names(file.text) if name not in declared}


def loop_variables(text: str) -> set[str]:
    pairs = re.findall(r"\[for \((\w+), (\w+)\) in", text)
    return set(re.findall(r"\[for (\w+) in", text)) | {name for pair in pairs for name in pair}


def _used_names(text: str) -> Iterator[str]:
    tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup != "comment"]
    for index, match in enumerate(tokens):
        if match.lastgroup == "text":
            for inner in re.findall(r"(?<!\\)\$\{((?:[^{}']|'[^']*')*)\}", match.group()):
                yield from _used_names(inner)
        if match.lastgroup != "name":
            continue
        before = tokens[index - 1].group() if index else ""
        after = tokens[index + 1].group() if index + 1 < len(tokens) else ""
        is_member = before == "."
        is_declared_here = before in {"param", "var", "output", "resource", "module", "targetScope"}
        is_output_type = index >= 2 and tokens[index - 2].group() in {"param", "output"}
        is_key = after == ":" and _starts_entry(tokens, index)
        if not (is_member or is_declared_here or is_output_type or is_key):
            yield match.group()


def _starts_entry(tokens: list[re.Match[str]], index: int) -> bool:
    """Is the name before a colon a key? It follows a brace or a comma, or is the first of its line."""
    start = tokens[index].start()
    line = tokens[index].string[tokens[index].string.rfind("\n", 0, start) + 1 : start]
    return not line.strip() or tokens[index - 1].group() in {"{", ","}
