"""What the local engine counts, under the names that vLLM gives the same figures."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


class Metrics:
    """Counters of one engine; `running` and `waiting` are asked when somebody looks."""

    def __init__(self, running: Callable[[], int], waiting: Callable[[], int]) -> None:
        self._registry = every = CollectorRegistry()
        name = ["model_name"]
        Gauge("vllm:num_requests_running", "Sequences running.", registry=every).set_function(
            running
        )
        Gauge("vllm:num_requests_waiting", "Requests waiting.", registry=every).set_function(
            waiting
        )
        self.read = Counter("vllm:prompt_tokens", "Prompt tokens.", name, registry=every)
        self.reused = Counter(
            "vllm:prefix_cache_hits", "Prompt tokens found in the cache.", name, registry=every
        )
        self.made = Counter("vllm:generation_tokens", "Tokens generated.", name, registry=every)
        self.ended = Counter(
            "vllm:request_success",
            "Sequences that ended, by their reason.",
            [*name, "finished_reason"],
            registry=every,
        )
        self.first = Histogram(
            "vllm:time_to_first_token_seconds",
            "From a request's arrival to its first token.",
            name,
            buckets=_SECONDS,
            registry=every,
        )
        self.whole = Histogram(
            "vllm:e2e_request_latency_seconds",
            "From a request's arrival to its last token.",
            name,
            buckets=_SECONDS,
            registry=every,
        )

    def render(self) -> bytes:
        """Write everything in Prometheus' text format."""
        return generate_latest(self._registry)
