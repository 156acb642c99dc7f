"""The writers' room: an OpenAI client with a page, and nothing of the model world."""

from typing import Any


def __getattr__(name: str) -> Any:
    # For `modal run -m demo`; whoever imports the package otherwise needs no modal.
    if name == "app":
        from demo.modal_app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), "app"]
