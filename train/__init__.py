"""Fine-tuning: from the examples of a show to a LoRA adapter that writes for its cast."""

from typing import Any


def __getattr__(name: str) -> Any:
    # For `modal run -m train`. Other imports of this package must work without modal.
    if name == "app":
        from train.modal_app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), "app"]
