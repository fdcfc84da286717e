"""`verify`: is it real? Pods, pgvector, GPU metrics, a chat, and an answer with its source.

The last two go the way of any user: over the public name, with an API key, through the product's API. They
leave nothing behind but usage rows.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from operations.cluster import Cluster, not_ready
from operations.console import Problem, outcome, say
from operations.outputs import Outputs, need_outputs
from operations.product import Product
from operations.settings import Estate
from operations.status import gpu_count
from operations.tools import Tools

KEY_VARIABLE = "PARLOUR_API_KEY"
VERIFIER = "verify@estate.invalid"
CODE_WORD = "heliotrope-4711"
DOCUMENT = (
    "Notes on the boiler room.\n\n"
    f"The maintenance code of the boiler is {CODE_WORD}. It was set in March and is changed every year.\n\n"
    "The key to the boiler room hangs beside the door of the workshop.\n"
)
QUESTION = "What is the maintenance code of the boiler? Answer from the documents."
COUNT_USERS = "from accounts.models import User; print(User.objects.count())"
VECTOR_VERSION = (
    "from django.db import connection; cursor = connection.cursor(); "
    "cursor.execute(\"select extversion from pg_extension where extname = 'vector'\"); print(cursor.fetchone()[0])"
)


@dataclass(frozen=True)
class Skip(Exception):
    """Why a check does not apply to this estate."""

    reason: str


def verify(tools: Tools, estate: Estate, *, url: str = "") -> bool:
    """Run every check, print each one's outcome, and say whether none failed."""
    tools.require("az")
    outputs = need_outputs(tools, estate)
    cluster = Cluster(tools, estate, outputs) if outputs.target == "aks" else None
    if tools.is_dry_run:
        say("          would check: pods, pgvector, GPU metrics, a chat, a cited answer")
        return True
    results = []
    if cluster is not None:
        results.append(_check("pods", lambda: check_pods(cluster)))
        results.append(_check("pgvector", lambda: check_pgvector(cluster)))
        results.append(_check("GPU metrics", lambda: check_gpu_metrics(cluster, outputs)))
    try:
        product = Product(url or outputs.url, api_key(cluster, outputs))
    except Problem as problem:
        outcome(False, "API key", f"{problem.what} {problem.remedy}")
        return False
    results.append(_check("chat", lambda: check_chat(product)))
    results.append(_check("cited answer", lambda: check_cited_answer(product, tools.poll_seconds)))
    return all(results)


def _check(name: str, check: Callable[[], str]) -> bool:
    try:
        outcome(True, name, check())
    except Skip as skip:
        outcome(None, name, skip.reason)
    except Problem as problem:
        outcome(False, name, f"{problem.what} {problem.remedy}".strip())
        return False
    return True


def check_pods(cluster: Cluster) -> str:
    pods = cluster.get("pods")
    waiting = not_ready(pods)
    if waiting:
        raise Problem(f"not ready: {', '.join(waiting)}", f"kubectl -n {cluster.namespace} describe pod NAME")
    if not any("-web-" in pod["metadata"]["name"] for pod in pods):
        raise Problem(f"there is no web pod in {cluster.namespace}", "Run `up` again.")
    return f"{len(pods)} pods, all ready"


def check_pgvector(cluster: Cluster) -> str:
    version = cluster.in_web_pod("python", "manage.py", "shell", "--no-imports", "-c", VECTOR_VERSION).strip()
    if tuple(int(part) for part in version.split(".")[:2]) < (0, 8):
        raise Problem(f"pgvector is {version}", "Iterative scans need 0.8: upgrade the extension.")
    return f"version {version}"


def check_gpu_metrics(cluster: Cluster, outputs: Outputs) -> str:
    """Do the GPUs that the cluster has report? Without GPU nodes there is nothing to ask."""
    gpus = sum(gpu_count(node) for node in cluster.get("nodes", namespace="*"))
    exporters = cluster.get("pods", selector="app.kubernetes.io/component=dcgm-exporter")
    if not gpus:
        raise Skip("no GPU node runs now")
    running = [pod["metadata"]["name"] for pod in exporters if pod["status"].get("phase") == "Running"]
    if not running:
        raise Problem(f"{gpus} GPUs and no DCGM exporter", "Set gpuOperator.dcgmExporter.enabled.")
    path = f"/api/v1/namespaces/{outputs.namespace}/pods/{running[0]}:9400/proxy/metrics"
    samples = re.findall(r"^DCGM_FI_DEV_GPU_UTIL\{.*\} \S+$", cluster.raw(path), re.MULTILINE)
    if not samples:
        raise Problem("the DCGM exporter reports no GPU", f"kubectl -n {outputs.namespace} logs {running[0]}")
    return f"{gpus} GPUs; {running[0]} reports {len(samples)}"


def check_chat(product: Product) -> str:
    model = product.models()[0]
    pieces = list(product.stream_chat(model, "Say good day in one short sentence."))
    if not "".join(pieces).strip():
        raise Problem(f"{model} answered nothing", "Look at the server's log, and at /admin/ under Servers.")
    return f"{model} answered in {len(pieces)} pieces"


def check_cited_answer(product: Product, poll_seconds: float) -> str:
    """A document that only this run knows is found, and the librarian quotes it with a citation."""
    with _document(product) as document:
        chunks = product.wait_until_ready(document, poll_seconds=poll_seconds)
        results = product.search(QUESTION, document)
        if not results or CODE_WORD not in results[0]["text"]:
            raise Problem(
                "search does not find the passage", "Look at the ingest worker and the embedding server."
            )
        answer = product.ask(product.grounded_model(), QUESTION)
        if CODE_WORD not in answer.text:
            raise Problem(
                f"the answer misses the document: {answer.text[:200]!r}", "Is the model able to follow?"
            )
        cited = {int(number) for number in re.findall(r"\[(\d+)\]", answer.text)}
        source = next(
            (one for one in answer.citations if one["n"] in cited and CODE_WORD in one["text"]), None
        )
        if source is None:
            raise Problem(
                f"the answer does not cite the passage: {answer.text[:200]!r}", "Is the model able to follow?"
            )
        return f"{chunks} chunks; the answer cites {source['name']}, page {source['page']}"


@contextmanager
def _document(product: Product) -> Iterator[str]:
    document = product.upload("estate-verification.txt", DOCUMENT)
    try:
        yield document
    finally:
        product.delete_document(document)


def api_key(cluster: Cluster | None, outputs: Outputs) -> str:
    """The key in PARLOUR_API_KEY, or on a cluster a new one for the verifier.

    The first user of a house becomes its administrator, so nobody is made while there is no other user.
    """
    if key := os.environ.get(KEY_VARIABLE, "").strip():
        return key
    if cluster is None:
        raise Problem(
            f"On {outputs.target} no key can be made from here.",
            f"Make one in the settings page of {outputs.url} and put it into {KEY_VARIABLE}.",
        )
    users = cluster.in_web_pod("python", "manage.py", "shell", "--no-imports", "-c", COUNT_USERS).strip()
    if users == "0":
        raise Problem(
            "Nobody has signed up yet, and whoever is first becomes the administrator.",
            f"Sign up at {outputs.url}/ and run verify again.",
        )
    return cluster.in_web_pod(
        *("python", "manage.py", "create_api_key", VERIFIER, "--create-user", "--name", "estate.py verify")
    ).strip()
