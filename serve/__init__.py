"""The OpenAI-compatible endpoint: vLLM on a GPU, a local engine on machines without one."""

from typing import Any


def __getattr__(name: str) -> Any:
    # For `modal run -m serve`. Other imports of this package must not need modal.
    if name == "app":
        from serve.modal_app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), "app"]
