"""Gets the two images into the registry (no Docker needed here) and names them by digest.

They are built there, or taken by digest from another estate's registry: what was tested in dev is what runs in prod.
"""

import time
from dataclasses import dataclass

from operations.console import Problem, step
from operations.outputs import Outputs, need_outputs
from operations.settings import REPOSITORY, Estate
from operations.tools import Tools

# Repository in the registry to the Dockerfile's target.
TARGETS = {"parlour": "application", "parlour-embeddings": "embeddings"}


@dataclass(frozen=True)
class Images:
    """Both images of one version, each as `HOST/NAME@sha256:…`."""

    application: str
    embeddings: str


def get_images(
    tools: Tools, estate: Estate, outputs: Outputs, tag: str = "", tested_in: Estate | None = None
) -> Images:
    """Build what the registry does not have under `tag` yet; a commit without local changes is built once.

    With `tested_in` nothing is built: that estate's registry has it, and gives it by digest.
    """
    tag = tag or _tag_of_checkout(tools)
    digests = {}
    for repository in TARGETS:
        reference = f"{repository}:{tag}"
        digest = _digest(tools, estate, outputs, reference)
        if digest is None:
            if tested_in is None:
                _build(tools, estate, outputs, reference)
            else:
                _import(tools, estate, outputs, reference, tested_in)
            digest = _digest(tools, estate, outputs, reference)
        if digest is None:
            if not tools.is_dry_run:
                raise Problem(f"{reference} was made, but the registry does not have it.")
            digest = f"sha256:<{repository}>"
        digests[repository] = f"{outputs.registryServer}/{repository}@{digest}"
    return Images(digests["parlour"], digests["parlour-embeddings"])


def _build(tools: Tools, estate: Estate, outputs: Outputs, reference: str) -> None:
    step(f"Building {reference} in {outputs.registryName}")
    tools.change(
        *estate.az("acr", "build", "--registry", outputs.registryName, "--image", reference),
        *("--target", TARGETS[reference.partition(":")[0]]),
        *("--file", str(REPOSITORY / "Dockerfile"), str(REPOSITORY)),
    )


def _import(tools: Tools, estate: Estate, outputs: Outputs, reference: str, tested_in: Estate) -> None:
    source = need_outputs(tools, tested_in)
    digest = _digest(tools, tested_in, source, reference) or ("sha256:<tested>" if tools.is_dry_run else "")
    if not digest:
        raise Problem(
            f"{source.registryName} has no {reference}: it did not run in {tested_in.name}.",
            f"Run `up --tag` there first, or leave --images-from out to build it in {outputs.registryName}.",
        )
    step(f"Taking {reference} from {source.registryName} as {digest}")
    registry = tools.read(
        *tested_in.az("acr", "show", "--name", source.registryName, "--query", "id", "--output", "tsv"),
        instead=f"<id of {source.registryName}>",
    ).strip()
    tools.change(
        *estate.az("acr", "import", "--name", outputs.registryName, "--registry", registry),
        *("--source", f"{reference.partition(':')[0]}@{digest}", "--image", reference),
    )


def _digest(tools: Tools, estate: Estate, outputs: Outputs, reference: str) -> str | None:
    found = tools.try_read(
        *estate.az("acr", "repository", "show", "--name", outputs.registryName, "--image", reference),
        *("--query", "digest", "--output", "tsv"),
    )
    return found.strip() if found and found.strip() else None


def _tag_of_checkout(tools: Tools) -> str:
    """The commit; with local changes the commit and the time, so that it is never taken for the commit."""
    if tools.is_dry_run:
        return "<commit>"
    commit = tools.read("git", "-C", str(REPOSITORY), "rev-parse", "--short=12", "HEAD").strip()
    changed = tools.read("git", "-C", str(REPOSITORY), "status", "--porcelain").strip()
    return f"{commit}-{int(time.time())}" if changed else commit
