"""A stage's Modal app as an attribute of its package, imported when it is asked for.

`modal run -m STAGE` looks for `app` in the package. Other imports of the package need no modal.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any


def lazy_app(stage: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's `__getattr__` and `__dir__` (PEP 562), which add its app."""

    def find(name: str) -> Any:
        if name == "app":
            return import_module(f"{stage}.modal_app").app
        raise AttributeError(f"module {stage!r} has no attribute {name!r}")

    def list_names() -> list[str]:
        return [*vars(import_module(stage)), "app"]

    return find, list_names
