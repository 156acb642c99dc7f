"""The adapter with the lowest held-out loss so far, saved beside the checkpoints."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nothing_gpt.files import atomic_folder, read_json, write_json

if TYPE_CHECKING:
    from peft import PeftModel

LAST = "last"
"""Subfolder of an adapter with the weights at the end of the run, if those were not the best."""

_FOLDER, _SCORE = "best", "score.json"


@dataclass(frozen=True, slots=True)
class HeldOutScore:
    """A held-out loss in nats a token, and the optimiser step at which it was measured."""

    step: int
    loss: float


@dataclass(frozen=True, slots=True)
class WholeScore:
    """The loss of all held-out examples, its tokens, and the seconds that it took."""

    loss: float
    tokens: int
    seconds: float


def find_best(checkpoints: Path) -> HeldOutScore | None:
    """Read the score of the best adapter so far; None if there is none."""
    path = checkpoints / _FOLDER / _SCORE
    return HeldOutScore(**read_json(path)) if path.is_file() else None


def save_best(model: "PeftModel", score: HeldOutScore, checkpoints: Path) -> None:
    """Save an adapter if its loss is lower than that of the best so far."""
    best = find_best(checkpoints)
    if best is None or score.loss < best.loss:
        with atomic_folder(checkpoints / _FOLDER) as folder:
            model.save_pretrained(str(folder))
            write_json(folder / _SCORE, asdict(score))


def delete_best(checkpoints: Path) -> None:
    """Delete the best adapter of another run."""
    shutil.rmtree(checkpoints / _FOLDER, ignore_errors=True)


def load_adapter(model: Any, folder: Path) -> None:
    """Give a model the weights of an adapter."""
    from peft import load_peft_weights, set_peft_model_state_dict

    device = str(next(model.parameters()).device)
    set_peft_model_state_dict(model, load_peft_weights(str(folder), device=device))


@contextmanager
def kept_adapter(model: Any, last: HeldOutScore, checkpoints: Path) -> Iterator[None]:
    """Let a model have the weights that `save_adapter` would write, for as long as the block."""
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    best = find_best(checkpoints)
    if best is None or last.loss <= best.loss:
        yield
        return
    weights = {name: w.clone() for name, w in get_peft_model_state_dict(model).items()}
    load_adapter(model, checkpoints / _FOLDER)
    try:
        yield
    finally:
        set_peft_model_state_dict(model, weights)


def save_adapter(
    model: "PeftModel", last: HeldOutScore, checkpoints: Path, folder: Path
) -> Literal["best", "last"]:
    """Write the better one of the best and the last adapter, and return which one it is.

    If the best is written, the last goes into the subfolder `last`.

    Args:
        model: The model at the end of the run.
        last: Its score.
        checkpoints: The folder of the run's checkpoints.
        folder: Where to write.
    """
    best = find_best(checkpoints)
    if best is None or last.loss <= best.loss:
        model.save_pretrained(str(folder))
        return "last"
    shutil.copytree(
        checkpoints / _FOLDER, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(_SCORE)
    )
    model.save_pretrained(str(folder / LAST))
    return "best"
