"""The state of a training, as a file among its checkpoints that `train watch` reads."""

from dataclasses import dataclass
from pathlib import Path

from nothing_gpt.adapter.bits_per_byte import to_bits_per_byte
from nothing_gpt.files import read_json, write_json
from nothing_gpt.records import decode, encode
from train.trainer.loss_checks import LogEntry

FILE = "state.json"


@dataclass(frozen=True, slots=True)
class RunState:
    """A training that goes on, or was interrupted.

    Attributes:
        base: The base as the manifest names it.
        machine: The machine, in words.
        steps: Optimiser steps of the whole run.
        time: Seconds since 1970 when this was written.
        tokens: Tokens of the evaluated completions; 0 before the first evaluation.
        text_bytes: Bytes of their text; 0 if tokens and text do not belong together.
        entries: What was logged: losses with speed and memory, held-out losses, sample scenes.
        dollars_per_hour: The machine's list price; None if it is not known.
    """

    base: str
    machine: str
    steps: int
    time: float
    tokens: int
    text_bytes: int
    entries: tuple[LogEntry, ...] = ()
    dollars_per_hour: float | None = None

    def latest(self, key: str) -> float | None:
        """Return the last logged value of a figure."""
        return next((float(e[key]) for e in reversed(self.entries) if key in e), None)

    @property
    def bits_per_byte(self) -> float | None:
        """The last held-out loss in bits a byte, where that can be said."""
        loss = self.latest("eval_loss")
        if loss is None or not (self.tokens and self.text_bytes):
            return None
        return to_bits_per_byte(loss, self.tokens, self.text_bytes)

    @property
    def seconds_left(self) -> float | None:
        """The seconds left at the speed so far, evaluations included; None before a loss."""
        timed = [e for e in self.entries if "seconds" in e and e["step"]]
        if not timed:
            return None
        last = timed[-1]
        return float(last["seconds"] / last["step"] * (self.steps - last["step"]))

    @property
    def dollars_left(self) -> float | None:
        """The price of the time that is left."""
        left, price = self.seconds_left, self.dollars_per_hour
        return None if left is None or price is None else left * price / 3600


def write_state(checkpoints: Path, state: RunState) -> None:
    """Write the state beside the checkpoints, completely or not at all."""
    write_json(checkpoints / FILE, encode(state))


def read_state(checkpoints: Path) -> RunState | None:
    """Read the state of a training; None if there is none."""
    file = checkpoints / FILE
    return decode(RunState, read_json(file), str(file)) if file.is_file() else None
