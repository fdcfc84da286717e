"""What the API servers that AKS offers take: the strict schemas of `kubernetes-validate`, each compiled once.

The package's own `validate` reads two megabytes of definitions for every resource; here a version's are read once.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import jsonschema
from referencing import Registry, Resource

SCHEMAS = resources.files("kubernetes_validate") / "kubernetes-json-schema"


def problems(document: dict[str, Any], version: str) -> Iterator[str]:
    """What a Kubernetes of this version (`1.36`) would not take of a built-in resource, unknown fields included."""
    for error in _validator(version, document["kind"], document["apiVersion"]).iter_errors(document):
        yield f"{error.json_path}: {error.message}"


@cache
def _validator(version: str, kind: str, api_version: str) -> jsonschema.Draft202012Validator:
    # rbac.authorization.k8s.io/v1 stands in a file name as rbac-v1.
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = json.loads(_folder(version).joinpath(f"{kind.lower()}-{group}.json").read_text())
    return jsonschema.Draft202012Validator(
        schema, registry=Resource.from_contents(schema) @ _definitions(version)
    )


@cache
def _definitions(version: str) -> Registry[Any]:
    text = _folder(version).joinpath("_definitions.json").read_text()
    return Resource.from_contents(json.loads(text)) @ Registry()


@cache
def _folder(version: str) -> Any:
    (found,) = [
        folder
        for folder in SCHEMAS.iterdir()
        if re.fullmatch(rf"v{re.escape(version)}\.\d+-local-strict", folder.name)
    ]
    return found
