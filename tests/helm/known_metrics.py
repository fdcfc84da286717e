"""Metric names that dashboards, alerts and autoscalers may use, by who exports them.

The application's own are not listed here: the tests ask its `/metrics` registry.
"""

from pathlib import Path

HELM = Path(__file__).resolve().parents[2] / "helm"

# https://docs.vllm.ai/en/stable/usage/metrics.html (vllm/v1/metrics/loggers.py)
VLLM = {
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
    "vllm:kv_cache_usage_perc",
    "vllm:prefix_cache_queries_total",
    "vllm:prefix_cache_hits_total",
    "vllm:num_preemptions_total",
    "vllm:prompt_tokens_total",
    "vllm:generation_tokens_total",
    "vllm:request_success_total",
    "vllm:time_to_first_token_seconds",
    "vllm:e2e_request_latency_seconds",
    "vllm:request_queue_time_seconds",
}

# The exporter exports exactly the counters that the chart gives it.
DCGM = {
    line.partition(",")[0]
    for line in (HELM / "files" / "dcgm-counters.csv").read_text().splitlines()
    if line and not line.startswith("#")
}

# https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics; all are in managed Prometheus' minimal
# ingestion profile, which is its default.
KUBE_STATE = {
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas_available",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kube_horizontalpodautoscaler_spec_min_replicas",
    "kube_horizontalpodautoscaler_status_current_replicas",
    "kube_job_failed",
    "kube_pod_container_resource_requests",
    "kube_pod_container_status_last_terminated_reason",
    "kube_pod_container_status_restarts_total",
    "kube_pod_status_phase",
    "kube_statefulset_status_replicas",
    "kube_statefulset_status_replicas_ready",
}

# The kubelet and its cAdvisor.
KUBELET = {
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
}

# Prometheus itself.
PROMETHEUS = {"up"}

EXPORTERS = VLLM | DCGM | KUBE_STATE | KUBELET | PROMETHEUS


def family(name: str) -> str:
    """The metric that a series belongs to: a histogram's `_bucket`, `_sum` and `_count` are its series."""
    for suffix in ("_bucket", "_sum", "_count"):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name
