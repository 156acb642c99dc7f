"""What the local engine counts, under the names that vLLM gives the same figures."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_MODEL = ("model_name",)


class Metrics:
    """Counters of one engine; `running` and `waiting` are asked when somebody looks."""

    def __init__(self, running: Callable[[], int], waiting: Callable[[], int]) -> None:
        self._all = CollectorRegistry()
        for name, size in {"running": running, "waiting": waiting}.items():
            about = f"Sequences or requests {name}."
            Gauge(f"vllm:num_requests_{name}", about, registry=self._all).set_function(size)
        self.read = self._count("prompt_tokens", "Prompt tokens.")
        self.reused = self._count("prefix_cache_hits", "Prompt tokens that were in the cache.")
        self.made = self._count("generation_tokens", "Tokens generated.")
        self.ended = self._count("request_success", "Sequences that ended.", "finished_reason")
        self.first = self._time("time_to_first_token_seconds", "Until a request's first token.")
        self.whole = self._time("e2e_request_latency_seconds", "Until a request's last token.")

    def _count(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"vllm:{name}", about, (*_MODEL, *labels), registry=self._all)

    def _time(self, name: str, about: str) -> Histogram:
        return Histogram(f"vllm:{name}", about, _MODEL, buckets=_SECONDS, registry=self._all)

    def render(self) -> bytes:
        """Write everything in Prometheus' text format."""
        return generate_latest(self._all)
