"""Builds the two images in the registry (no Docker needed here) and names them by digest."""

import time
from dataclasses import dataclass

from operations.console import Problem, step
from operations.outputs import Outputs
from operations.settings import REPOSITORY, Estate
from operations.tools import Tools

# Repository in the registry to the Dockerfile's target.
TARGETS = {"parlour": "application", "parlour-embeddings": "embeddings"}


@dataclass(frozen=True)
class Images:
    """Both images of one version, each as `HOST/NAME@sha256:…`."""

    application: str
    embeddings: str


def build_images(tools: Tools, estate: Estate, outputs: Outputs, tag: str = "") -> Images:
    """Build what the registry does not have under `tag` yet; a commit without local changes is built once."""
    tag = tag or _tag_of_checkout(tools)
    digests = {}
    for repository, target in TARGETS.items():
        reference = f"{repository}:{tag}"
        digest = _digest(tools, estate, outputs, reference)
        if digest is None:
            step(f"Building {reference} in {outputs.registryName}")
            tools.change(
                *estate.az("acr", "build", "--registry", outputs.registryName, "--image", reference),
                *("--target", target, "--file", str(REPOSITORY / "Dockerfile"), str(REPOSITORY)),
            )
            digest = _digest(tools, estate, outputs, reference)
        if digest is None:
            if not tools.is_dry_run:
                raise Problem(f"{reference} was built, but the registry does not have it.")
            digest = f"sha256:<{repository}>"
        digests[repository] = f"{outputs.registryServer}/{repository}@{digest}"
    return Images(digests["parlour"], digests["parlour-embeddings"])


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
