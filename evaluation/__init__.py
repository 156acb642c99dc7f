"""Stage 5: scores of a served model's scenes, beside those of the show's own scenes."""

from typing import Any


def __getattr__(name: str) -> Any:
    # For `modal run -m evaluation`. Other imports of this package must work without modal.
    if name == "app":
        from evaluation.modal_app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), "app"]
