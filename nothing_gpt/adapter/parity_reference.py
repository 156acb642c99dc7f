"""What training found of a few held-out examples, for a server to be held against."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nothing_gpt.errors import UserError
from nothing_gpt.files import fingerprint, read_json, write_json
from nothing_gpt.records import decode, encode

FILE = "parity.json"
"""Beside an adapter. It holds no text and no token ids: scripts may be somebody's own."""


@dataclass(frozen=True, slots=True)
class JudgedExample:
    """A held-out example as the trainer's evaluation saw it.

    Attributes:
        example: Its line in the held-out data, from 0.
        tokens: Of prompt and completion together, cut to the length of training.
        completion: Of these, the ones that the loss is taken over.
        ids: The fingerprint of all their ids.
        loss: Nats a completion token, with the adapter.
    """

    example: int
    tokens: int
    completion: int
    ids: str
    loss: float


@dataclass(frozen=True, slots=True)
class ParityReference:
    """The judged examples, whether the base was in NF4, and the type that it was computed in."""

    quantized: bool
    dtype: str
    judged: tuple[JudgedExample, ...]


def fingerprint_ids(ids: Sequence[int]) -> str:
    """Tell sequences of token ids apart."""
    return fingerprint(list(ids))


def write_parity_reference(adapter: Path, parity: ParityReference) -> None:
    """Write it into an adapter's folder."""
    write_json(adapter / FILE, encode(parity))


def read_parity_reference(adapter: Path) -> ParityReference:
    """Read it from an adapter's folder.

    Raises:
        UserError: the adapter has none, or it is damaged.
    """
    path = adapter / FILE
    if not path.is_file():
        raise UserError(
            f"{path}: not there; it is written when training ends in one process and no "
            "held-out example is too long; train this adapter again with --fresh"
        )
    return decode(ParityReference, read_json(path), str(path))
