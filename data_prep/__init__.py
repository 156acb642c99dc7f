"""The first stage: training examples from scripts.

`python -m data_prep --show NAME` reads a show's scripts, drops what is not a speech, cuts each
episode into windows, and writes the windows as chat examples. A report lists what was dropped and
why.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    # For `modal run -m data_prep`. Other imports of the package must not need modal.
    if name == "app":
        from data_prep.modal_app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), "app"]
