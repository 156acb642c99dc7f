"""The writers' room: a web page and an API in front of an OpenAI-compatible server."""

from typing import Any


def __getattr__(name: str) -> Any:
    # `modal run -m demo` looks for `app` here. Every other import of the package needs no Modal.
    if name == "app":
        from demo.modal_app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), "app"]
