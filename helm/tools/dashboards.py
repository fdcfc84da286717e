"""Draws the Grafana dashboards: `python helm/tools/dashboards.py` writes helm/dashboards/*.json.

What is shown stands here, how it is drawn in grafana.py. The tests parse every expression and look its metrics up.
"""

import json
from pathlib import Path

from grafana import Dashboard, Panel, draw

FOLDER = Path(__file__).resolve().parent.parent / "dashboards"
N = 'namespace="$namespace"'
INGEST_WORKERS = N + ',pod=~".+-worker-ingest-.+",container="worker"'
CONTAINERS = N + ',container!=""'
GPU_MEMORY = f"sum(DCGM_FI_DEV_FB_USED{{{N}}}) + sum(DCGM_FI_DEV_FB_FREE{{{N}}})"


def quantile(q: float, metric: str, by: str = "", labels: str = N) -> str:
    """A quantile of a histogram over the panel's interval."""
    groups = "le" if not by else f"le, {by}"
    return f"histogram_quantile({q}, sum by ({groups}) (rate({metric}_bucket{{{labels}}}[$__rate_interval])))"


def rate(metric: str, by: str = "", labels: str = N) -> str:
    return f"sum {f'by ({by}) ' if by else ''}(rate({metric}{{{labels}}}[$__rate_interval]))"


LLM = Dashboard(
    uid="parlour-llm",
    title="Parlour: language models",
    note="How fast and how well models answer, as Parlour sees them and as vLLM does.",
    known_by="inference_requests_total",
    rows=[
        (
            "Answers",
            [
                Panel(
                    "Requests",
                    "reqps",
                    [("{{model}} {{outcome}}", rate("inference_requests_total", "model, outcome"))],
                ),
                Panel(
                    "Requests that fail",
                    "percentunit",
                    [
                        (
                            "{{model}}",
                            rate("inference_requests_total", "model", N + ',outcome!~"ok|stopped"')
                            + " / "
                            + rate("inference_requests_total", "model"),
                        )
                    ],
                ),
                Panel(
                    "Tokens generated",
                    "short",
                    [("{{model}}", rate("tokens_generated_total", "model"))],
                    note="Tokens a second.",
                ),
                Panel(
                    "Time to first token",
                    "s",
                    [
                        (
                            f"p{round(q * 100)} {{{{model}}}}",
                            quantile(q, "time_to_first_token_seconds", "model"),
                        )
                        for q in (0.5, 0.95)
                    ],
                ),
                Panel(
                    "Time to the whole answer",
                    "s",
                    [
                        (
                            f"p{round(q * 100)} {{{{model}}}}",
                            quantile(q, "inference_latency_seconds", "model"),
                        )
                        for q in (0.5, 0.95)
                    ],
                ),
                Panel(
                    "Waiting for a model",
                    "short",
                    [
                        ("{{model}}", f'max by (model) (queue_length{{{N},queue="models"}})'),
                        ("replies not begun", f'max(queue_length{{{N},queue="replies"}})'),
                    ],
                ),
                Panel(
                    "Batch of a server",
                    "short",
                    [("{{server}}", f"max by (server) (batch_size{{{N}}})")],
                    note="Requests that it works on at once, where it tells.",
                ),
                Panel(
                    "GPU memory of models",
                    "bytes",
                    [("{{server}}", f"max by (server) (gpu_memory_used{{{N}}})")],
                    note="Where the server tells (Ollama); whole cards are on the dashboard of GPUs.",
                ),
                Panel(
                    "Requests waiting for a model",
                    "short",
                    [("{{model}}", f'max by (model) (queue_length{{{N},queue="models"}})')],
                ),
                Panel(
                    "Requests in a server's batch",
                    "short",
                    [("{{server}}", f"max by (server) (batch_size{{{N}}})")],
                ),
                Panel(
                    "GPU memory that models take",
                    "bytes",
                    [("{{server}}", f"max by (server) (gpu_memory_used{{{N}}})")],
                ),
            ],
        ),
        (
            "vLLM",
            [
                Panel(
                    "Requests in vLLM",
                    "short",
                    [
                        ("{{model_name}} running", f"sum by (model_name) (vllm:num_requests_running{{{N}}})"),
                        ("{{model_name}} waiting", f"sum by (model_name) (vllm:num_requests_waiting{{{N}}})"),
                    ],
                ),
                Panel(
                    "Key-value cache in use", "percentunit", [("{{pod}}", f"vllm:kv_cache_usage_perc{{{N}}}")]
                ),
                Panel(
                    "Prefix cache hits",
                    "percentunit",
                    [
                        (
                            "{{model_name}}",
                            rate("vllm:prefix_cache_hits_total", "model_name")
                            + " / "
                            + rate("vllm:prefix_cache_queries_total", "model_name"),
                        )
                    ],
                ),
                Panel(
                    "Tokens",
                    "short",
                    [
                        ("{{model_name}} prompt", rate("vllm:prompt_tokens_total", "model_name")),
                        ("{{model_name}} generated", rate("vllm:generation_tokens_total", "model_name")),
                    ],
                ),
                Panel(
                    "Time in queue, p95",
                    "s",
                    [("{{model_name}}", quantile(0.95, "vllm:request_queue_time_seconds", "model_name"))],
                ),
                Panel(
                    "Preemptions",
                    "ops",
                    [("{{model_name}}", rate("vllm:num_preemptions_total", "model_name"))],
                ),
            ],
        ),
    ],
)

GPU = Dashboard(
    uid="parlour-gpu",
    title="Parlour: GPUs",
    note="What the GPUs of the namespace do, from the DCGM exporter.",
    known_by="DCGM_FI_DEV_GPU_UTIL",
    rows=[
        (
            "Now",
            [
                Panel("GPUs held", "short", [("", f"count(DCGM_FI_DEV_GPU_UTIL{{{N}}})")], kind="stat"),
                Panel(
                    "Mean utilisation", "percent", [("", f"avg(DCGM_FI_DEV_GPU_UTIL{{{N}}})")], kind="stat"
                ),
                Panel(
                    "Memory in use",
                    "percentunit",
                    [
                        (
                            "",
                            f"sum(DCGM_FI_DEV_FB_USED{{{N}}}) / ({GPU_MEMORY})",
                        )
                    ],
                    kind="stat",
                ),
                Panel(
                    "Pods that wait for a GPU",
                    "short",
                    [
                        (
                            "",
                            f'count(kube_pod_status_phase{{{N},phase="Pending"}} == 1 and on (namespace, pod) '
                            f'kube_pod_container_resource_requests{{{N},resource="nvidia_com_gpu"}} > 0) or vector(0)',
                        )
                    ],
                    kind="stat",
                ),
            ],
        ),
        (
            "Over time",
            [
                Panel("Utilisation", "percent", [("{{pod}} GPU {{gpu}}", f"DCGM_FI_DEV_GPU_UTIL{{{N}}}")]),
                Panel("Memory", "decmbytes", [("{{pod}} GPU {{gpu}}", f"DCGM_FI_DEV_FB_USED{{{N}}}")]),
                Panel(
                    "Memory bandwidth",
                    "percent",
                    [("{{pod}} GPU {{gpu}}", f"DCGM_FI_DEV_MEM_COPY_UTIL{{{N}}}")],
                ),
                Panel(
                    "Temperature", "celsius", [("{{Hostname}} GPU {{gpu}}", f"DCGM_FI_DEV_GPU_TEMP{{{N}}}")]
                ),
                Panel("Power", "watt", [("{{Hostname}} GPU {{gpu}}", f"DCGM_FI_DEV_POWER_USAGE{{{N}}}")]),
                Panel("Clock", "MHz", [("{{Hostname}} GPU {{gpu}}", f"DCGM_FI_DEV_SM_CLOCK{{{N}}}")]),
                Panel(
                    "Last error (XID)",
                    "short",
                    [("{{Hostname}} GPU {{gpu}}", f"DCGM_FI_DEV_XID_ERRORS{{{N}}}")],
                ),
            ],
        ),
    ],
)

RETRIEVAL = Dashboard(
    uid="parlour-retrieval",
    title="Parlour: retrieval",
    note="How documents come in and how they are found.",
    known_by="retrieval_latency_seconds_count",
    rows=[
        (
            "Searching",
            [
                Panel("Searches", "reqps", [("searches", rate("retrieval_latency_seconds_count"))]),
                Panel(
                    "Time of a search",
                    "s",
                    [
                        (f"p{round(q * 100)}", quantile(q, "retrieval_latency_seconds"))
                        for q in (0.5, 0.95, 0.99)
                    ],
                ),
                Panel(
                    "Passages found",
                    "short",
                    [("mean", rate("retrieval_passages_sum") + " / " + rate("retrieval_passages_count"))],
                    note="Passages handed to the model; near nothing means questions that the documents do not answer.",
                ),
                Panel(
                    "Time of an embedding request",
                    "s",
                    [(f"p{round(q * 100)}", quantile(q, "embedding_latency_seconds")) for q in (0.5, 0.95)],
                    note="Of questions, which web asks; documents are the workers', who export nothing.",
                ),
            ],
        ),
        (
            "Documents",
            [
                Panel("Documents by state", "short", [("{{status}}", f"max by (status) (documents{{{N}}})")]),
                Panel(
                    "Tasks waiting to be read",
                    "short",
                    [("waiting", f'max(queue_length{{{N},queue="ingest"}})')],
                ),
                Panel(
                    "Workers' processor time",
                    "short",
                    [
                        (
                            "{{pod}}",
                            rate("container_cpu_usage_seconds_total", "pod", INGEST_WORKERS),
                        )
                    ],
                    note="Cores in use.",
                ),
                Panel(
                    "Workers' memory",
                    "bytes",
                    [
                        (
                            "{{pod}}",
                            f"sum by (pod) (container_memory_working_set_bytes{{{INGEST_WORKERS}}})",
                        )
                    ],
                ),
            ],
        ),
    ],
)

APPLICATION = Dashboard(
    uid="parlour-application",
    title="Parlour: application",
    note="Web, workers, sockets and replies.",
    known_by="replies_running",
    rows=[
        (
            "Now",
            [
                Panel(
                    "Web pods ready",
                    "short",
                    [("", f'sum(kube_deployment_status_replicas_available{{{N},deployment=~".+-web"}})')],
                    kind="stat",
                ),
                Panel("Sockets open", "short", [("", f"sum(sockets_open{{{N}}})")], kind="stat"),
                Panel("Replies running", "short", [("", f"sum(replies_running{{{N}}})")], kind="stat"),
                Panel(
                    "Tasks waiting",
                    "short",
                    [("", f'sum(max by (queue) (queue_length{{{N},queue=~"ingest|default"}}))')],
                    kind="stat",
                ),
            ],
        ),
        (
            "Replies",
            [
                Panel("Replies that ended", "ops", [("{{status}}", rate("replies_total", "status"))]),
                Panel(
                    "Replies taken over",
                    "ops",
                    [("taken over", rate("replies_taken_over_total"))],
                    note="Peaks with every rollout and every lost pod; each is a reply that was not lost.",
                ),
                Panel("Replies running", "short", [("{{pod}}", f"sum by (pod) (replies_running{{{N}}})")]),
                Panel("Sockets open", "short", [("{{pod}}", f"sum by (pod) (sockets_open{{{N}}})")]),
                Panel("Queues", "short", [("{{queue}}", f"max by (queue) (queue_length{{{N}}})")]),
            ],
        ),
        (
            "Pods",
            [
                Panel(
                    "Processor time",
                    "short",
                    [
                        (
                            "{{pod}}",
                            rate("container_cpu_usage_seconds_total", "pod", CONTAINERS),
                        )
                    ],
                    note="Cores in use.",
                ),
                Panel(
                    "Memory",
                    "bytes",
                    [("{{pod}}", f"sum by (pod) (container_memory_working_set_bytes{{{CONTAINERS}}})")],
                ),
                Panel(
                    "Web process memory",
                    "bytes",
                    [("{{pod}}", f'process_resident_memory_bytes{{{N},job=~".+-web"}}')],
                ),
                Panel(
                    "Open files of the web processes",
                    "short",
                    [("{{pod}}", f'process_open_fds{{{N},job=~".+-web"}}')],
                ),
                Panel(
                    "Restarts",
                    "short",
                    [
                        (
                            "{{pod}}",
                            f"sum by (pod) (increase(kube_pod_container_status_restarts_total{{{N}}}[1h]))",
                        )
                    ],
                ),
                Panel(
                    "Pods of the autoscalers",
                    "short",
                    [
                        (
                            "{{horizontalpodautoscaler}}",
                            f"kube_horizontalpodautoscaler_status_current_replicas{{{N}}}",
                        ),
                        (
                            "{{horizontalpodautoscaler}} at most",
                            f"kube_horizontalpodautoscaler_spec_max_replicas{{{N}}}",
                        ),
                    ],
                ),
            ],
        ),
    ],
)

DASHBOARDS = {"llm": LLM, "gpu": GPU, "retrieval": RETRIEVAL, "application": APPLICATION}


def render(dashboard: Dashboard) -> str:
    return json.dumps(draw(dashboard), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, dashboard in DASHBOARDS.items():
        (FOLDER / f"{name}.json").write_text(render(dashboard))


if __name__ == "__main__":
    main()
