"""What somebody changed by hand: Azure's what-if, less what it is documented to call a change that is none.

https://learn.microsoft.com/azure/azure-resource-manager/bicep/deploy-what-if names that noise: a property set from
another resource is compared unresolved, and so always differs (note on `reference`); a property that the template does
not set and Azure gives a default is reported as deleted. `NoEffect` is its own word for what Azure ignores. Nothing
else is left out. The price: a property by hand that the template does not set looks like a default, and is not seen.
"""

import re
from collections.abc import Iterator
from typing import Any

from operations.deployment import what_if_command
from operations.settings import Estate
from operations.tools import Tools


def drift(tools: Tools, estate: Estate) -> list[str]:
    """Resources that somebody changed by hand, made or removed, as `Modify ID (PROPERTY, …)` and the like.

    What-if also reports what it cannot tell (`Unsupported`, `Deploy`) and what the templates do not name (`Ignore`);
    that is no drift.
    """
    found = tools.read_json(
        *what_if_command(estate), "--no-pretty-print", "--output", "json", instead={"changes": []}
    )
    return sorted(line for change in found["changes"] if (line := _describe(change)))


def _describe(change: dict[str, Any]) -> str:
    """The line for a resource; empty where it is as the templates say."""
    line = f"{change['changeType']} {change['resourceId']}"
    if change["changeType"] in {"Create", "Delete"}:
        return line
    if change["changeType"] != "Modify":
        return ""
    if not change.get("delta"):
        return line
    properties = sorted({path for one in change["delta"] for path in _changed(one, "", in_array=False)})
    return f"{line} ({', '.join(properties)})" if properties else ""


def _changed(one: dict[str, Any], above: str, *, in_array: bool) -> Iterator[str]:
    """Paths of the properties that will truly change, at and below one entry of what-if's delta."""
    kind, path = one["propertyChangeType"], ".".join(part for part in (above, str(one["path"])) if part)
    if one.get("children"):
        for child in one["children"]:
            yield from _changed(child, path, in_array=kind == "Array")
    elif kind == "Delete":
        # An entry of a list, such as a firewall's rule, and a tag have no defaults.
        if in_array or path.startswith("tags"):
            yield path
    elif kind != "NoEffect" and not _is_unresolved(one.get("after")):
        yield path


def _is_unresolved(value: object) -> bool:
    return isinstance(value, str) and re.match(r"\[.*\breference\(", value) is not None
