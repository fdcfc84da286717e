"""What this room tells Prometheus: how long searches take and what they find."""

from prometheus_client import Histogram

RETRIEVAL_LATENCY = Histogram(
    "retrieval_latency_seconds",
    "One search, from the question to its passages.",
    buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
RETRIEVAL_PASSAGES = Histogram(
    "retrieval_passages", "Passages a search found.", buckets=(0, 1, 2, 3, 4, 5, 6, 8, 10, 20)
)
