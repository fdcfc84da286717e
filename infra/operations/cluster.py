"""kubectl and helm against the estate's cluster, with a kubeconfig of its own: yours is left alone."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from operations.console import Problem
from operations.outputs import Outputs
from operations.settings import Estate
from operations.tools import Tools


class Cluster:
    """One cluster, signed in to by the person's own az session (kubelogin)."""

    def __init__(self, tools: Tools, estate: Estate, outputs: Outputs) -> None:
        self._tools = tools
        self.namespace = outputs.namespace
        self.release = outputs.release
        if not outputs.clusterName:
            raise Problem(f"{estate.name} runs on {outputs.target}: it has no cluster.")
        home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "parlour-estate"
        config = home / f"{estate.name}.kubeconfig"
        tools.require("az", "kubectl", "kubelogin", "helm")
        if not tools.is_dry_run:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
        tools.environment["KUBECONFIG"] = str(config)
        tools.change(
            *estate.az("aks", "get-credentials", "--resource-group", outputs.groupName),
            *("--name", outputs.clusterName, "--file", str(config), "--overwrite-existing"),
        )
        tools.change("kubelogin", "convert-kubeconfig", "--login", "azurecli", "--kubeconfig", str(config))

    def get(self, kind: str, *, namespace: str | None = None, selector: str = "") -> list[dict[str, Any]]:
        """The items of a kind; an unknown kind has none."""
        where = ("--all-namespaces",) if namespace == "*" else ("--namespace", namespace or self.namespace)
        which = ("--selector", selector) if selector else ()
        try:
            found = self._tools.read_json(
                "kubectl", "get", kind, *where, *which, "--output", "json", instead={"items": []}
            )
        except Problem as problem:
            if "the server doesn't have a resource type" in problem.what:
                return []
            raise
        items: list[dict[str, Any]] = found["items"]
        return items

    def apply(self, *manifests: dict[str, Any]) -> None:
        body = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self._tools.change("kubectl", "apply", "--server-side", "--filename", "-", stdin=json.dumps(body))

    def in_web_pod(self, *argv: str, instead: str = "") -> str:
        """Run something in a web pod, where the settings and the private network are."""
        return self._tools.read(
            *("kubectl", "--namespace", self.namespace, "exec", f"deployment/{self.release}-web"),
            *("--container", "web", "--", *argv),
            instead=instead,
        )

    def change(self, *arguments: str) -> str:
        return self._tools.change("kubectl", "--namespace", self.namespace, *arguments)

    def raw(self, path: str) -> str:
        return self._tools.read("kubectl", "get", "--raw", path)

    def history(self) -> list[dict[str, Any]]:
        """The release's revisions, oldest first, each with `revision` and `status`."""
        found: list[dict[str, Any]] = self._tools.read_json(
            *("helm", "--namespace", self.namespace, "history", self.release, "--output", "json"),
            instead=[{"revision": 1, "status": "superseded"}],
        )
        return found

    def helm(self, *arguments: str, stdin: str | None = None) -> str:
        return self._tools.change("helm", "--namespace", self.namespace, *arguments, stdin=stdin)


def not_ready(pods: Iterable[dict[str, Any]]) -> list[str]:
    """Pods that should run and do not, each with the reason that a person needs first.

    A pod on its way out is none of them: after an upgrade web pods drain for minutes. Nor is a failed one that has
    been followed: an evicted pod by its ReplicaSet's next, a job's try by one that runs or has succeeded.
    """
    pods = list(pods)
    going_on = {_owner(pod) for pod in pods if pod.get("status", {}).get("phase") in {"Running", "Succeeded"}}
    found = []
    for pod in pods:
        status = pod.get("status", {})
        if status.get("phase") == "Succeeded" or pod["metadata"].get("deletionTimestamp"):
            continue
        if status.get("phase") == "Failed" and _owner(pod) in going_on:
            continue
        states = status.get("containerStatuses", [])
        if status.get("phase") == "Running" and states and all(one.get("ready") for one in states):
            continue
        waiting = [
            one["state"]["waiting"].get("reason") for one in states if "waiting" in one.get("state", {})
        ]
        reason = next((one for one in waiting if one), None) or status.get("reason") or status.get("phase")
        found.append(f"{pod['metadata']['name']} ({reason})")
    return found


def _owner(pod: dict[str, Any]) -> str:
    """The resource that makes the pod, or the pod itself."""
    owners = pod["metadata"].get("ownerReferences") or [{"uid": pod["metadata"]["name"]}]
    return str(owners[0]["uid"])
