"""Scripts in, training examples out: the first stage.

`python -m data_prep --show NAME` reads a show's scripts, drops what is no speech and says why,
cuts each episode into windows, and writes them as chat examples with a report.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    # For `modal run -m data_prep`; whoever imports the package otherwise needs no modal.
    if name == "app":
        from data_prep.modal_app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), "app"]
