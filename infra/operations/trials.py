"""`benchmark` measures answers under load; `scale-test` watches what the estate does about the load."""

import time

from operations.cluster import Cluster
from operations.console import Problem, say, step
from operations.load import Load
from operations.outputs import need_outputs
from operations.product import Product
from operations.settings import Estate
from operations.tools import Tools
from operations.verify import api_key


def benchmark(
    tools: Tools, estate: Estate, *, streams: int, answers: int, model: str = "", url: str = ""
) -> bool:
    """`answers` answers over `streams` streams at once; True if none failed."""
    product, _ = _product(tools, estate, url)
    if product is None:
        say(f"          would ask for {answers} answers over {streams} streams")
        return True
    model = model or product.models()[0]
    step(f"{answers} answers of {model} over {streams} streams at {product.url}")
    measurements = Load(product, model, streams, answers).wait()
    for line in measurements.lines():
        say(line)
    return not measurements.errors


def scale_test(
    tools: Tools,
    estate: Estate,
    *,
    streams: int,
    seconds: int,
    model: str = "",
    url: str = "",
) -> bool:
    """Load for `seconds`, with a line whenever replicas or nodes change; True if something grew and nothing broke."""
    product, cluster = _product(tools, estate, url)
    if product is None:
        say(
            f"          would load {streams} streams for {seconds} s and watch deployments, scalers and nodes"
        )
        return True
    if cluster is None:
        raise Problem(
            "Only a cluster can be watched from here.", "On Container Apps look at the replica count metric."
        )
    model = model or product.models()[0]
    before = counts(cluster)
    step(f"Before: {_words(before)}")
    load = Load(product, model, streams)
    deadline = time.monotonic() + seconds
    peak = dict(before)
    last = before
    try:
        while time.monotonic() < deadline:
            time.sleep(tools.poll_seconds)
            now = counts(cluster)
            if now != last:
                step(f"Now:    {_words(now)}")
            last = now
            peak = {name: max(peak.get(name, 0), count) for name, count in now.items()}
    finally:
        measurements = load.stop()
    for line in measurements.lines():
        say(line)
    grown = {
        name: (before.get(name, 0), count) for name, count in peak.items() if count > before.get(name, 0)
    }
    say(
        "grew             " + (", ".join(f"{name} {a} to {b}" for name, (a, b) in grown.items()) or "nothing")
    )
    return bool(grown) and not measurements.errors


def counts(cluster: Cluster) -> dict[str, int]:
    """Replicas that each workload has now, and the number of nodes."""
    found = {
        item["metadata"]["name"]: int(item.get("status", {}).get("replicas", 0))
        for kind in ("deployments", "statefulsets")
        for item in cluster.get(kind)
    }
    return found | {"nodes": len(cluster.get("nodes", namespace="*"))}


def _words(found: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(found.items()))


def _product(tools: Tools, estate: Estate, url: str) -> tuple[Product | None, Cluster | None]:
    tools.require("az")
    outputs = need_outputs(tools, estate)
    cluster = Cluster(tools, estate, outputs) if outputs.target == "aks" else None
    if tools.is_dry_run:
        return None, cluster
    return Product(url or outputs.url, api_key(cluster, outputs)), cluster
