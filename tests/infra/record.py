"""Records what the real tools answer, for the tests to replay: `python -m tests.infra.record --az AZ --kubectl K`.

Each part is recorded if its program is named; recordings/README.md says how to come by them. Of a cluster only the API
server and the controllers are needed: nobody runs the pods, so this program says of them what a node's kubelet would
say, through the API, which takes no status that it does not know.
"""

import argparse
import ast
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import helm_python

from tests.helm import chart

HERE = Path(__file__).parent
OPERATIONS = HERE.parents[1] / "infra" / "operations"
FOLDER = HERE / "recordings"
NAMESPACE = "parlour"
# What `where` and variables stand for in the sources; everything else is written out there.
COMPUTED = (
    *("aks stop", "aks start", "container stop", "container start"),
    *("postgres flexible-server stop", "postgres flexible-server start"),
)
Manifest = dict[str, Any]


@dataclass
class Recorder:
    """Runs one tool and keeps every answer that gets a name, to the letter."""

    program: str
    environment: dict[str, str] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: object = None, name: str = "") -> str:
        done = subprocess.run(
            [self.program, *arguments],
            input=json.dumps(stdin) if stdin is not None else "",
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if name:
            command = " ".join([Path(self.program).name, *arguments])
            answer = {"command": command, "rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}
            self.answers[name] = answer
        elif done.returncode:
            raise SystemExit(f"{arguments}: {done.stderr}")
        return done.stdout


def write(tool: str, version: str, circumstances: str, answers: object) -> None:
    content = {
        "tool": tool,
        "version": version,
        "recorded": datetime.now(UTC).date().isoformat(),
        "circumstances": circumstances,
        "answers": answers,
    }
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{tool}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def az_commands() -> Iterator[str]:
    """The commands that the sources give to `Estate.az`, without what varies."""
    yield from COMPUTED
    for path in OPERATIONS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "az":
                words = list(
                    takewhile(lambda one: isinstance(one, ast.Constant) and one.value[0] != "-", node.args)
                )
                # Where a variable follows, COMPUTED has what it stands for.
                is_whole = not isinstance(next(iter(node.args[len(words) :]), None), ast.Name)
                if words and is_whole:
                    yield " ".join(str(one.value) for one in words)


def record_az(program: str) -> None:
    az = Recorder(program, {"AZURE_CORE_COLLECT_TELEMETRY": "0"})
    version = json.loads(az.run("version"))["azure-cli"]
    az.run("account", "show", "--output", "json", "--only-show-errors", name="not-signed-in")
    az.run("deployment", "sub", "list", "--output", "json", "--only-show-errors", name="list-not-signed-in")
    az.run("bicep", "version", "--only-show-errors", name="no-bicep")
    az.run("aks", "show", "--only-show-errors", name="argument-missing")
    az.run("aks", "get-credentials", "-g", "g", "-n", "n", "--bogus", name="argument-unknown")
    az.run("grafana", "dashboard", "list", "--only-show-errors", name="command-unknown")
    write("az", version, "Installed from PyPI, no extension, nobody signed in.", az.answers)
    python = Path(program).resolve().parent / "python"
    grammar = Recorder(str(python)).run(str(HERE / "az_grammar.py"), *sorted(set(az_commands())))
    write("az-commands", version, "No extension; null is a command of an extension.", json.loads(grammar))


def record_kubectl(program: str, kubeconfig: str, stranger: str) -> None:
    nowhere = Recorder(program, {"KUBECONFIG": "/nonexistent"})
    version = json.loads(nowhere.run("version", "--client", "--output", "json"))["clientVersion"][
        "gitVersion"
    ]
    get_pods = ("get", "pods", "--namespace", NAMESPACE, "--output", "json")
    nowhere.run("--server", "https://127.0.0.1:1", "--token", "x", *get_pods, name="refused")
    nowhere.run(*get_pods, name="no-kubeconfig")
    if kubeconfig:
        kubectl = Recorder(program, {"KUBECONFIG": kubeconfig}, nowhere.answers)
        server = json.loads(kubectl.run("get", "--raw", "/version"))
        version += f", API server built from Kubernetes 1.20.2 ({server['goVersion']})"
        record_refusals(kubectl, stranger)
        record_pods(kubectl, get_pods)
        record_jobs(kubectl)
        record_helm(kubeconfig)
    write(
        "kubectl",
        version,
        "API server and controllers, statuses of pods set as a kubelet would.",
        nowhere.answers,
    )


def record_refusals(kubectl: Recorder, stranger: str) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    issuer = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Issuer",
        "metadata": {"name": "x", "namespace": NAMESPACE},
    }
    apply = ("apply", "--server-side", "--filename", "-")
    kubectl.run(*apply, stdin=namespace, name="applied")
    kubectl.run(*apply, stdin=issuer, name="no-kind")
    kubectl.run("get", "workspaces", "--namespace", NAMESPACE, "--output", "json", name="no-resource-type")
    pods = ("get", "pods", "--namespace", NAMESPACE, "--output", "json")
    kubectl.run("--token", stranger, *pods, name="forbidden")
    kubectl.run("--token", "wrong", *pods, name="unauthorized")
    web = ("exec", f"deployment/{NAMESPACE}-web", "--container", "web", "--", "true")
    kubectl.run("--namespace", NAMESPACE, *web, name="nothing-to-exec-in")


def record_pods(kubectl: Recorder, get_pods: Sequence[str]) -> None:
    """From pods that nobody has taken, by way of healthy ones, to an upgrade half done and one that fails."""
    for number, gpus in enumerate((0, 0, 1)):
        kubectl.run("create", "--filename", "-", stdin=node(number))
        kubectl.run(
            *("patch", "node", f"node-{number}", "--subresource=status", "--type=merge", "--patch"),
            json.dumps({"status": {"capacity": {"cpu": "4", **({"nvidia.com/gpu": "1"} if gpus else {})}}}),
        )
    kubectl.run("get", "nodes", "--all-namespaces", "--output", "json", name="nodes")
    for document in workloads():
        # The API server may be older than the chart; it drops fields that came later.
        kubectl.run("create", "--validate=false", "-n", NAMESPACE, "--filename", "-", stdin=document)
    await_pods(kubectl, lambda pods: len(pods) >= 2)
    kubectl.run(*get_pods, name="pods-pending")
    for pod in pods_of(kubectl):
        bind(kubectl, pod)
        say(kubectl, pod, "Running", ready=True)
    kubectl.run(*get_pods, name="pods-ready")
    web = f"deployment/{NAMESPACE}-web"
    kubectl.run("--namespace", NAMESPACE, "set", "image", web, "web=example.azurecr.io/parlour:2")
    new = await_pods(kubectl, lambda pods: [one for one in pods if not one["spec"].get("nodeName")])
    for pod in (one for one in new if not one["spec"].get("nodeName")):
        bind(kubectl, pod)
        say(kubectl, pod, "Running", ready=True)
    await_pods(kubectl, lambda pods: any("deletionTimestamp" in one["metadata"] for one in pods))
    kubectl.run(*get_pods, name="pods-upgrading")
    failing = {"web": "CrashLoopBackOff", "beat": "ImagePullBackOff"}
    for pod in pods_of(kubectl):
        component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        if component in failing and "deletionTimestamp" not in pod["metadata"]:
            say(kubectl, pod, "Running", ready=False, waiting=failing[component])
    kubectl.run(*get_pods, name="pods-failing")


def record_jobs(kubectl: Recorder) -> None:
    """A job whose first try fails and whose second succeeds, and one that gives up."""
    jobs = ("get", "jobs", "--namespace", NAMESPACE, "--output", "json")
    for name, tries in (("retried", 3), ("given-up", 0)):
        kubectl.run("create", "--namespace", NAMESPACE, "--filename", "-", stdin=job(name, tries))
    first = await_pods(kubectl, lambda pods: len(of_jobs(pods)) == 2)
    kubectl.run(*jobs, name="jobs-running")
    for pod in of_jobs(first):
        bind(kubectl, pod)
        say(kubectl, pod, "Failed", ready=False)
    second = await_pods(kubectl, lambda pods: [one for one in of_jobs(pods) if "nodeName" not in one["spec"]])
    for pod in of_jobs(second):
        if "nodeName" not in pod["spec"]:
            bind(kubectl, pod)
            say(kubectl, pod, "Succeeded", ready=False)
    time.sleep(5)
    kubectl.run(*jobs, name="jobs-ended")
    pods = ("get", "pods", "--namespace", NAMESPACE, "--output", "json")
    kubectl.run(*pods, "--selector", "job-name", name="pods-of-jobs")


def record_helm(kubeconfig: str) -> None:
    """Helm's engine without its command line, which would put `Error: UPGRADE FAILED: ` before what is said here."""
    values = chart.scenario_values("minimal")

    def attempt(config: Path | str) -> dict[str, object]:
        try:
            client = helm_python.Config(kubeconfig_path=config, namespace=NAMESPACE)
            client.install(chart.chart(), "parlour", values=values)
        except helm_python.HelmError as error:
            return {"command": "helm_install", "rc": 1, "stdout": "", "stderr": f"{error}\n"}
        return {"command": "helm_install", "rc": 0, "stdout": "", "stderr": ""}

    nowhere = FOLDER / "nowhere.kubeconfig"
    nowhere.write_text(Path(kubeconfig).read_text().replace(":26443", ":1"))
    answers = {"refused": attempt(nowhere), "old-cluster": attempt(kubeconfig)}
    nowhere.unlink()
    write("helm", helm_python.helm_sdk_version(), "Helm's SDK, as the tests render with it.", answers)


def workloads() -> Iterator[Manifest]:
    """The chart's own Deployments, as the tier dev has them, with one pod each, and what they refer to."""
    for document in chart.render("dev"):
        if document["kind"] == "PriorityClass":
            yield document
        name = document["metadata"]["name"]
        if document["kind"] == "Deployment" and name in {f"{NAMESPACE}-{n}" for n in ("web", "beat")}:
            document = json.loads(json.dumps(document))
            document["metadata"].pop("namespace", None)
            document["spec"]["replicas"] = 1
            for container in document["spec"]["template"]["spec"]["containers"]:
                container.pop("lifecycle", None)  # `sleep` came with 1.29
            yield document


def job(name: str, tries: int) -> Manifest:
    labels = {"app.kubernetes.io/component": "preload"}
    pod = {
        "restartPolicy": "Never",
        "containers": [{"name": "preload", "image": "example.azurecr.io/parlour:1"}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {"backoffLimit": tries, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def node(number: int) -> Manifest:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{number}"}}


def pods_of(kubectl: Recorder) -> list[Manifest]:
    found: list[Manifest] = json.loads(kubectl.run("get", "pods", "-n", NAMESPACE, "-o", "json"))["items"]
    return found


def of_jobs(pods: list[Manifest]) -> list[Manifest]:
    return [pod for pod in pods if "job-name" in pod["metadata"]["labels"]]


def await_pods(kubectl: Recorder, is_so: Callable[[list[Manifest]], object]) -> list[Manifest]:
    for _ in range(120):
        if is_so(pods := pods_of(kubectl)):
            return pods
        time.sleep(0.5)
    raise SystemExit("The controllers did not do in a minute what was expected of them.")


def bind(kubectl: Recorder, pod: Manifest) -> None:
    """The scheduler's part."""
    name = pod["metadata"]["name"]
    target = {"apiVersion": "v1", "kind": "Node", "name": "node-0"}
    body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/binding"
    kubectl.run("create", "--raw", path, "--filename", "-", stdin=body)


def say(kubectl: Recorder, pod: Manifest, phase: str, *, ready: bool, waiting: str = "") -> None:
    """The kubelet's part."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ended = {"terminated": {"exitCode": int(phase == "Failed"), "finishedAt": now}}
    running = {"waiting": {"reason": waiting}} if waiting else {"running": {"startedAt": now}}
    states = [
        {
            "name": one["name"],
            "image": one["image"],
            "imageID": "",
            "restartCount": 0,
            "ready": ready,
            "state": running if phase == "Running" else ended,
        }
        for one in pod["spec"]["containers"]
    ]
    conditions = [{"type": "Ready", "status": str(ready), "lastTransitionTime": now}]
    status = {"phase": phase, "startTime": now, "conditions": conditions, "containerStatuses": states}
    patch = ("--subresource=status", "--type=merge", "--patch", json.dumps({"status": status}))
    kubectl.run("--namespace", NAMESPACE, "patch", "pod", pod["metadata"]["name"], *patch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--az")
    parser.add_argument("--kubectl")
    parser.add_argument("--kubeconfig", default="", help="of an empty API server, as its administrator")
    parser.add_argument("--stranger", default="", help="token of somebody without any right there")
    given = parser.parse_args()
    if given.az:
        record_az(given.az)
    if given.kubectl:
        record_kubectl(given.kubectl, given.kubeconfig, given.stranger)


if __name__ == "__main__":
    main()
