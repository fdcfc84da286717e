"""What this room tells Prometheus, under the names that operators' dashboards know.

Numbers of one process; the scraper adds processes up. Labels hold model names and error codes, never people.
"""

from prometheus_client import Counter, Histogram

# From a cached short answer to a long one of a large model on a small card.
LATENCY_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320)
FIRST_TOKEN_BUCKETS = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 30, 60)
EMBEDDING_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("inference_requests", "Answers asked of models.", ["model", "outcome"])
LATENCY = Histogram(
    "inference_latency_seconds", "From the request to the last token.", ["model"], buckets=LATENCY_BUCKETS
)
FIRST_TOKEN = Histogram(
    "time_to_first_token_seconds",
    "From the request to the first token.",
    ["model"],
    buckets=FIRST_TOKEN_BUCKETS,
)
TOKENS = Counter("tokens_generated", "Completion tokens, as the servers counted them.", ["model"])
EMBEDDING_LATENCY = Histogram(
    "embedding_latency_seconds", "One call of the embedding server.", buckets=EMBEDDING_BUCKETS
)


def count_request(
    *,
    model_name: str,
    outcome: str,
    completion_tokens: int,
    first_token_seconds: float | None,
    duration_seconds: float,
) -> None:
    """One answer has ended; `outcome` is ok, stopped, or an error's code."""
    REQUESTS.labels(model_name, outcome).inc()
    LATENCY.labels(model_name).observe(duration_seconds)
    TOKENS.labels(model_name).inc(completion_tokens)
    if first_token_seconds is not None:
        FIRST_TOKEN.labels(model_name).observe(first_token_seconds)
