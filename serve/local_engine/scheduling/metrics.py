"""The local engine's metrics, under the names that vLLM gives to the same figures."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)  # seconds
_MODEL = ("model_name",)


class Metrics:
    """The metrics of one engine.

    Args:
        running: Returns the number of running sequences; called when the metrics are read.
        waiting: Returns the number of waiting requests; likewise.
    """

    def __init__(self, running: Callable[[], int], waiting: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        for name, count in {"running": running, "waiting": waiting}.items():
            text = f"Sequences or requests {name}."
            gauge = Gauge(f"vllm:num_requests_{name}", text, registry=self._registry)
            gauge.set_function(count)
        self.prompt_tokens = self._counter("prompt_tokens", "Prompt tokens.")
        self.reused_tokens = self._counter(
            "prefix_cache_hits", "Prompt tokens that were in the cache."
        )
        self.generated_tokens = self._counter("generation_tokens", "Tokens generated.")
        self.finished = self._counter(
            "request_success", "Sequences that ended.", "finished_reason"
        )
        self.first_token_seconds = self._histogram(
            "time_to_first_token_seconds", "Until a request's first token."
        )
        self.total_seconds = self._histogram(
            "e2e_request_latency_seconds", "Until a request's last token."
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"vllm:{name}", text, (*_MODEL, *labels), registry=self._registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(f"vllm:{name}", text, _MODEL, buckets=_BUCKETS, registry=self._registry)

    def render(self) -> bytes:
        """Render the metrics in Prometheus' text format."""
        return generate_latest(self._registry)
