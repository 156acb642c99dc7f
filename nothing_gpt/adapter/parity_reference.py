"""The parity reference of an adapter: training's losses on a few held-out examples.

A server is compared with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nothing_gpt.errors import UserError
from nothing_gpt.files import fingerprint, read_json, write_json
from nothing_gpt.records import decode, encode

FILE = "parity.json"
"""The file beside an adapter. It contains neither text nor token ids: scripts can be private."""


@dataclass(frozen=True, slots=True)
class JudgedExample:
    """A held-out example with the loss that the trainer's evaluation computed.

    Attributes:
        example: The index of its line in the held-out data.
        tokens: The number of tokens, prompt and completion, cut to training's maximum.
        completion: The number of completion tokens; the loss is their mean.
        ids: The fingerprint of all token ids.
        loss: With the adapter, in nats a completion token.
    """

    example: int
    tokens: int
    completion: int
    ids: str
    loss: float


@dataclass(frozen=True, slots=True)
class ParityReference:
    """The examples, with the precision that the losses were computed in.

    Attributes:
        quantized: Whether the base was in NF4.
        dtype: The type of the computation, such as bfloat16.
    """

    quantized: bool
    dtype: str
    judged: tuple[JudgedExample, ...]


def fingerprint_ids(ids: Sequence[int]) -> str:
    """Return the fingerprint of a sequence of token ids."""
    return fingerprint(list(ids))


def write_parity_reference(adapter: Path, reference: ParityReference) -> None:
    """Write the reference into an adapter's folder."""
    write_json(adapter / FILE, encode(reference))


def read_parity_reference(adapter: Path) -> ParityReference:
    """Read the reference from an adapter's folder.

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
