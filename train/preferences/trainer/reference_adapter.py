"""The copy of the trained adapter that TRL keeps as the reference."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

TRAINED, REFERENCE = "default", "ref"
"""TRL's names of the adapter that is trained, and of its copy."""


@contextmanager
def used_reference(model: Any) -> Iterator[None]:
    """Give the trained adapter the weights of its copy: the fused layers know no other adapter."""
    pairs = [(trained, trained.data, copy.data) for trained, copy in _list_pairs(model)]
    try:
        for parameter, _, copied in pairs:
            parameter.data = copied
        yield
    finally:
        for parameter, trained, _ in pairs:
            parameter.data = trained


def restore_precision(model: Any) -> None:
    """Give the trained adapter the weights of its copy again.

    TRL rounds what is trained on a base in 4 bits to bf16, and makes the copy before it does.
    """
    for parameter, copy in _list_pairs(model):
        parameter.data = copy.data.float().clone()


def _list_pairs(model: Any) -> list[tuple[Any, Any]]:
    """List each parameter of the trained adapter with that of its copy."""
    parameters = dict(model.named_parameters())
    return [
        (parameter, parameters[name.replace(f".{TRAINED}.", f".{REFERENCE}.")])
        for name, parameter in parameters.items()
        if f".{TRAINED}." in name
    ]
