"""Evaluates the estate's Bicep for given parameters: which resources would be sent to Azure, with which values.

It stands for the compiler and the deployment engine in the tests: it follows modules, conditions and loops, and
fails where the real ones would: a name that is not declared, a parameter that is missing or that its module does
not take, an output of a module that this estate does not have. What only Azure knows (addresses, keys, ids of
principals) is a `Runtime`. It reads the part of the language that the estate uses, no more.
"""

import hashlib
import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from tests.infra import bicep

SUBSCRIPTION = "00000000-0000-4000-8000-000000000000"
_TOKENS = re.compile(
    r"""(?P<skip>[ \t\r]+|//[^\n]*|/\*.*?\*/)
      | (?P<newline>\n)
      | (?P<text>'(?:\\.|\$\{(?:[^{}']|'[^']*')*\}|[^'\\])*')
      | (?P<number>\d+)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign>=>|==|!=|>=|<=|&&|\|\||\?\?|\.\?|[{}\[\]().,:?=<>!@+*-])""",
    re.VERBOSE | re.DOTALL,
)
_POWERS = {"??": 1, "||": 2, "&&": 3, "==": 4, "!=": 4, "<": 5, ">": 5, "<=": 5, ">=": 5, "+": 6, "-": 6}

Scope = dict[str, Any]
Thunk = Callable[[Scope], Any]


class Refused(Exception):
    """What a compiler or a deployment would refuse."""


class Runtime(str):
    """A value that only Azure knows, by the path that leads to it."""


@dataclass
class Declared:
    """A resource or module of a file, not yet evaluated."""

    symbol: str
    target: str
    is_existing: bool
    condition: Thunk | None
    loop: tuple[list[str], Thunk] | None
    body: Thunk


@dataclass
class File:
    parameters: dict[str, Thunk | None] = field(default_factory=dict)
    variables: dict[str, Thunk] = field(default_factory=dict)
    resources: list[Declared] = field(default_factory=list)
    modules: list[Declared] = field(default_factory=list)
    outputs: dict[str, Thunk] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """What would be sent to Azure."""

    type: str
    name: str
    body: dict[str, Any]
    file: str


class _Parser:
    """A recursive descent over the tokens; every expression becomes a function of a scope."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            match = _TOKENS.match(text, at)
            if match is None:
                raise Refused(f"cannot be read: {text[at : at + 40]!r}")
            if match.lastgroup != "skip":
                self._tokens.append((match.lastgroup or "", match.group()))
            at = match.end()
        self._tokens.append(("end", ""))
        self._at = 0

    def _peek(self, ahead: int = 0) -> str:
        return self._tokens[self._at + ahead][1]

    def _take(self, expected: str = "") -> str:
        token = self._peek()
        if expected and token != expected:
            raise Refused(f"{token!r} where {expected!r} is meant")
        self._at += 1
        return token

    def _blank(self, more: str = "") -> None:
        while self._tokens[self._at][0] == "newline" or (more and self._peek() == more):
            self._at += 1

    def file(self) -> File:
        file = File()
        while True:
            self._blank()
            kind = self._take() if self._tokens[self._at][0] != "end" else ""
            if not kind:
                return file
            if kind == "@":
                self._expression()
            elif kind == "targetScope":
                self._take("=")
                self._expression()
            elif kind == "param":
                name, _ = self._take(), self._take()
                file.parameters[name] = self._expression() if self._given() else None
            elif kind == "output":
                name, _, _ = self._take(), self._take(), self._take("=")
                file.outputs[name] = self._expression()
            elif kind == "var":
                name, _ = self._take(), self._take("=")
                file.variables[name] = self._expression()
            elif kind in {"resource", "module"}:
                (file.resources if kind == "resource" else file.modules).append(self._declared())
            else:
                raise Refused(f"{kind!r} begins no statement")

    def _given(self) -> bool:
        if self._peek() != "=":
            return False
        self._take()
        return True

    def _declared(self) -> Declared:
        symbol, target = self._take(), self._take().strip("'")
        is_existing = self._peek() == "existing"
        if is_existing:
            self._take()
        self._take("=")
        condition, loop = None, None
        if self._peek() == "if":
            self._take()
            condition = self._parenthesis()
        elif self._peek() == "[" and self._peek(1) == "for":
            loop, body = self._loop()
            return Declared(symbol, target, is_existing, None, loop, body)
        return Declared(symbol, target, is_existing, condition, loop, self._expression())

    def _parenthesis(self) -> Thunk:
        self._take("(")
        inside = self._expression()
        self._take(")")
        return inside

    def _loop(self) -> tuple[tuple[list[str], Thunk], Thunk]:
        self._take("[")
        self._take("for")
        if self._peek() == "(":
            self._take()
            names = [self._take(), self._take(",") and self._take()]
            self._take(")")
        else:
            names = [self._take()]
        self._take("in")
        items = self._expression()
        self._take(":")
        body = self._expression()
        self._take("]")
        return (names, items), body

    def _expression(self, power: int = 0) -> Thunk:
        left = self._unary()
        while (sign := self._peek()) in _POWERS and _POWERS[sign] > power:
            self._take()
            left = _binary(sign, left, self._expression(_POWERS[sign]))
        if power == 0 and self._peek() == "?":
            self._take()
            yes = self._expression()
            self._take(":")
            no = self._expression()
            test = left
            return lambda scope: yes(scope) if test(scope) else no(scope)
        return left

    def _unary(self) -> Thunk:
        if self._peek() == "!":
            self._take()
            inner = self._unary()
            return lambda scope: not inner(scope)
        if self._peek() == "-":
            self._take()
            inner = self._unary()
            return lambda scope: -inner(scope)
        return self._postfix(self._primary())

    def _postfix(self, value: Thunk) -> Thunk:
        while True:
            if self._peek() in {".", ".?"}:
                is_safe = self._take() == ".?"
                name = self._take()
                if self._peek() == "(":
                    arguments = self._arguments()
                    value = _method(value, name, arguments)
                else:
                    value = _member(value, name, is_safe)
            elif self._peek() == "[":
                self._take()
                index = self._expression()
                self._take("]")
                value = _item(value, index)
            else:
                return value

    def _arguments(self) -> list[Thunk]:
        self._take("(")
        found = []
        self._blank()
        while self._peek() != ")":
            found.append(self._expression())
            self._blank(",")
        self._take(")")
        return found

    def _primary(self) -> Thunk:
        kind, token = self._tokens[self._at]
        if token == "(":
            return self._parenthesis()
        if token == "{":
            return self._object()
        if token == "[":
            return self._array()
        self._take()
        if kind == "text":
            return _interpolated(token)
        if kind == "number":
            number = int(token)
            return lambda _: number
        if token in {"true", "false", "null"}:
            constant = {"true": True, "false": False, "null": None}[token]
            return lambda _: constant
        if kind != "name":
            raise Refused(f"{token!r} begins no expression")
        if self._peek() == "(":
            return _call(token, self._arguments())
        return lambda scope: _named(scope, token)

    def _array(self) -> Thunk:
        if self._peek(1) == "for":
            (names, items), body = self._loop()
            return lambda scope: [body(inner) for inner in _each(scope, names, items)]
        self._take("[")
        items: list[Thunk] = []
        self._blank(",")
        while self._peek() != "]":
            items.append(self._expression())
            self._blank(",")
        self._take("]")
        return lambda scope: [item(scope) for item in items]

    def _object(self) -> Thunk:
        self._take("{")
        entries: list[tuple[Thunk, Thunk]] = []
        self._blank(",")
        while self._peek() != "}":
            kind, token = self._tokens[self._at]
            self._take()
            key: Thunk = _interpolated(token) if kind == "text" else lambda _, name=token: name
            self._take(":")
            entries.append((key, self._expression()))
            self._blank(",")
        self._take("}")
        return lambda scope: {key(scope): value(scope) for key, value in entries}


def _interpolated(token: str) -> Thunk:
    pieces: list[str | Thunk] = []
    for match in re.finditer(r"\$\{((?:[^{}']|'[^']*')*)\}|(\\.)|([^$\\]+|\$)", token[1:-1]):
        inner, escaped, plain = match.groups()
        pieces.append(_Parser(inner)._expression() if inner is not None else escaped[1] if escaped else plain)

    def value(scope: Scope) -> str:
        values = [piece if isinstance(piece, str) else piece(scope) for piece in pieces]
        text = "".join(str(one) for one in values)
        return Runtime(text) if any(isinstance(one, Runtime) for one in values) else text

    return value


def _binary(sign: str, left: Thunk, right: Thunk) -> Thunk:
    operations: dict[str, Thunk] = {
        "??": lambda scope: found if (found := left(scope)) is not None else right(scope),
        "||": lambda scope: left(scope) or right(scope),
        "&&": lambda scope: left(scope) and right(scope),
        "==": lambda scope: left(scope) == right(scope),
        "!=": lambda scope: left(scope) != right(scope),
        "<": lambda scope: left(scope) < right(scope),
        ">": lambda scope: left(scope) > right(scope),
        "<=": lambda scope: left(scope) <= right(scope),
        ">=": lambda scope: left(scope) >= right(scope),
        "+": lambda scope: left(scope) + right(scope),
        "-": lambda scope: left(scope) - right(scope),
    }
    return operations[sign]


def _named(scope: Scope, name: str) -> Any:
    if name not in scope:
        raise Refused(f"{name} is not declared")
    value = scope[name]
    return value() if callable(value) else value


def _member(value: Thunk, name: str, is_safe: bool) -> Thunk:
    def get(scope: Scope) -> Any:
        holder = value(scope)
        if isinstance(holder, Runtime):
            return Runtime(f"{holder}.{name}")
        if isinstance(holder, dict) and name in holder:
            found = holder[name]
            return found() if callable(found) else found
        if is_safe:
            return None
        raise Refused(f"there is no {name} in {holder!r:.80}")

    return get


def _item(value: Thunk, index: Thunk) -> Thunk:
    def get(scope: Scope) -> Any:
        holder, at = value(scope), index(scope)
        return Runtime(f"{holder}[{at}]") if isinstance(holder, Runtime) else holder[at]

    return get


def _method(value: Thunk, name: str, arguments: list[Thunk]) -> Thunk:
    def call(scope: Scope) -> Any:
        if name not in {"listKeys"}:
            raise Refused(f"{name} is not known")
        return Runtime(f"{value(scope)}.{name}()")

    return call


def _each(scope: Scope, names: list[str], items: Thunk) -> Iterator[Scope]:
    for index, item in enumerate(items(scope)):
        yield scope | dict(zip(names, (item, index), strict=False))


def _call(name: str, arguments: list[Thunk]) -> Thunk:
    if name == "loadYamlContent":
        return lambda scope: yaml.safe_load((scope["$folder"] / arguments[0](scope)).resolve().read_text())
    if name not in _FUNCTIONS:
        raise Refused(f"there is no function {name}")

    def call(scope: Scope) -> Any:
        values = [argument(scope) for argument in arguments]
        result = _FUNCTIONS[name](*values)
        is_unknown = isinstance(result, str) and any(isinstance(value, Runtime) for value in values)
        return Runtime(result) if is_unknown else result

    return call


def _hash(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def _subnet(network: str, prefix: int, index: int) -> str:
    return str(list(ipaddress.ip_network(network).subnets(new_prefix=prefix))[index])


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "any": lambda one: one,
    "array": lambda one: [one],
    "cidrSubnet": _subnet,
    "concat": lambda *lists: [item for one in lists for item in one],
    "contains": lambda holder, item: item in holder,
    "deployment": lambda: {"location": "westeurope"},
    "empty": lambda one: not one,
    "environment": lambda: {"suffixes": {"storage": "core.windows.net"}},
    "guid": lambda *parts: f"{_hash(*parts)[:8]}-0000-4000-8000-{_hash(*parts)[8:20]}",
    "join": lambda items, text: text.join(items),
    "json": json.loads,
    "replace": lambda text, old, new: text.replace(old, new),
    "resourceGroup": lambda: {"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg", "name": "rg"},
    "split": lambda text, sign: (
        text.split(sign) if not isinstance(text, Runtime) else Runtime(f"split({text})")
    ),
    "subscription": lambda: {"id": f"/subscriptions/{SUBSCRIPTION}", "subscriptionId": SUBSCRIPTION},
    "subscriptionResourceId": lambda kind, name: f"/subscriptions/{SUBSCRIPTION}/providers/{kind}/{name}",
    "take": lambda text, count: text[:count],
    "tenant": lambda: {"tenantId": "11111111-0000-4000-8000-000000000000"},
    "toLower": str.lower,
    "toUpper": str.upper,
    "union": lambda *maps: {key: value for one in maps for key, value in one.items()},
    "uniqueString": lambda *parts: f"k{_hash(*parts)[:12]}",
    "uriComponent": lambda text: quote(text, safe=""),
    # Decorators are read like calls and never evaluated.
    **{name: lambda *_: None for name in ("description", "allowed", "secure", "batchSize")},
    **{name: lambda *_: None for name in ("minLength", "maxLength", "minValue", "maxValue")},
}


@cache
def parse_file(path: Path) -> File:
    return _Parser(path.read_text()).file()


def deploy(path: Path, parameters: dict[str, Any]) -> tuple[list[Resource], dict[str, Any]]:
    """Every resource that the file and its modules make for these parameters, and the file's outputs."""
    file = parse_file(path)
    unknown = set(parameters) - set(file.parameters)
    if unknown:
        raise Refused(f"{path.name} has no parameter {', '.join(sorted(unknown))}")
    made: list[Resource] = []
    scope: Scope = {"$folder": path.parent}
    for name, default in file.parameters.items():
        if name in parameters:
            scope[name] = parameters[name]
        elif default is None:
            raise Refused(f"{path.name} needs {name}")
        else:
            scope[name] = default(scope)
        _check(path, name, bicep.read(path).parameters[name], scope[name])
    for name, thunk in file.variables.items():
        scope[name] = _once(lambda thunk=thunk: thunk(scope))
    for resource in file.resources:
        scope[resource.symbol] = _once(lambda resource=resource: _reference(resource, scope))
    for module in file.modules:
        scope[module.symbol] = _once(lambda module=module: _run_module(path, module, scope, made))
    for resource in file.resources:
        made += _resources(path, resource, scope)
    for module in file.modules:
        _named(scope, module.symbol)
    outputs = {name: thunk(scope) for name, thunk in file.outputs.items()}
    for name, value in outputs.items():
        _check(path, name, bicep.read(path).outputs[name], value)
    return made, outputs


_KINDS: dict[str, type] = {"string": str, "int": int, "bool": bool, "array": list, "object": dict}


def _check(path: Path, name: str, declared: dict[str, Any], value: Any) -> None:
    """Raise Refused where a value is not of the declared type, or not one that its decorators allow."""
    if isinstance(value, Runtime):
        return
    where = f"{path.name}: {name}"
    kind = _KINDS[declared["type"]]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Refused(f"{where} is declared as {declared['type']}, and is {value!r:.60}")
    marks = {mark["type"]: mark.get("argument") for mark in declared["decorators"]}
    size = len(value) if isinstance(value, str | list) else value
    if "allowed" in marks and value not in marks["allowed"]:
        raise Refused(f"{where} cannot be {value!r}")
    for least in ("min_length", "min_value"):
        if least in marks and size < int(marks[least]):
            raise Refused(f"{where} is below its {least}: {value!r}")
    for most in ("max_length", "max_value"):
        if most in marks and size > int(marks[most]):
            raise Refused(f"{where} is above its {most}: {value!r}")


def _once(thunk: Callable[[], Any]) -> Callable[[], Any]:
    kept: list[Any] = []

    def value() -> Any:
        if not kept:
            kept.append(thunk())
        return kept[0]

    return value


def _reference(resource: Declared, scope: Scope) -> Runtime:
    """Stands for a resource wherever another one refers to it; two resources never look alike."""
    kind = resource.target.split("@")[0]
    if resource.loop:
        return Runtime(f"<{kind}>")
    body = resource.body(scope)
    return Runtime(f"<{kind} {body.get('parent', '')} {body['name']}>")


def _resources(path: Path, resource: Declared, scope: Scope) -> Iterator[Resource]:
    if resource.is_existing or (resource.condition and not resource.condition(scope)):
        return
    scopes = _each(scope, *resource.loop) if resource.loop else [scope]
    for inner in scopes:
        body = resource.body(inner)
        yield Resource(resource.target.split("@")[0], str(body.pop("name")), body, path.name)


def _run_module(path: Path, module: Declared, scope: Scope, made: list[Resource]) -> dict[str, Any]:
    """Evaluate a module where it is needed; what does not exist in this estate has no outputs."""
    if module.condition and not module.condition(scope):
        return {"outputs": _Absent(module.symbol)}
    outputs: dict[str, Any] = {}
    for inner in _each(scope, *module.loop) if module.loop else [scope]:
        body = module.body(inner)
        resources, outputs = deploy((path.parent / module.target).resolve(), body["params"])
        made += resources
    return {"outputs": outputs}


class _Absent(dict[str, Any]):
    """The outputs of a module that is not deployed: to ask for one is an error at deployment."""

    def __init__(self, symbol: str) -> None:
        super().__init__()
        self._symbol = symbol

    def __contains__(self, name: object) -> bool:
        raise Refused(f"{self._symbol} is not deployed here, and its output {name} is asked for")
