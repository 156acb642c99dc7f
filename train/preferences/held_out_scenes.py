"""Scenes of the tuned adapter and of the one it began as, after the same held-out contexts."""

import json
import subprocess
import sys
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from nothing_gpt.adapter.row_change import RowChange, RowChanges
from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json, write_lines
from nothing_gpt.records import decode
from nothing_gpt.show import Generation
from train.data.chat_example import ChatExample
from train.data.examples import contents
from train.data.line_order import order_by_new_lines
from train.generation import write_answers
from train.preferences.trainer.reference_adapter import used_reference
from train.preferences.vote_set import hash_lines

_SCENES = 48
"""Scenes of each adapter, if there are held-out contexts."""


def write_scenes(
    model: Any,
    tokenizer: Any,
    examples: Sequence[ChatExample],
    settings: Generation,
    seed: int,
) -> list[str]:
    """Have a model continue the prompts of examples, all at once, with the show's sampling."""
    prompts = [example["prompt"] for example in examples]
    answers = write_answers(model, tokenizer, prompts, settings, seed)
    # The limit of tokens can cut the last line off.
    return [each.text if each.ended else each.text.rpartition("\n")[0] for each in answers]


def choose_contexts(held_out: Sequence[ChatExample], seed: int) -> list[ChatExample]:
    """Choose held-out examples that share no lines, again and again if they are few."""
    chosen: list[ChatExample] = []
    seen: set[int] = set()
    for example in order_by_new_lines(held_out, seed):
        lines = hash_lines(contents([example]))
        if not lines & seen:
            chosen.append(example)
            seen |= lines
    return list(islice(cycle(chosen), _SCENES))


def measure_changes(
    model: Any,
    tokenizer: Any,
    examples: Sequence[ChatExample],
    settings: Generation,
    data: Path,
    folder: Path,
    seed: int,
) -> tuple[RowChange, ...]:
    """Write scenes with both adapters, and compare them in the rows of the scorecard.

    Args:
        model: The model with both adapters.
        tokenizer: Its tokenizer.
        examples: Held-out examples that share no lines.
        settings: The sampling.
        data: The folder of the show's speeches.
        folder: Where the scenes are kept.
        seed: Seed of the sampling.

    Raises:
        UserError: the comparison failed.
    """
    print("writing scenes with both adapters ...", flush=True)
    written = {}
    with used_reference(model):
        written["before"] = write_scenes(model, tokenizer, examples, settings, seed)
    written["after"] = write_scenes(model, tokenizer, examples, settings, seed)
    scenes = folder / "scenes.jsonl"
    records = (
        {
            "context": example["prompt"][-1]["content"],
            "real": example["completion"][-1]["content"],
            "before": before,
            "after": after,
        }
        for example, before, after in zip(
            examples, written["before"], written["after"], strict=True
        )
    )
    write_lines(scenes, (json.dumps(record, ensure_ascii=False).encode() for record in records))
    result = folder / "changes.json"
    command = [sys.executable, "-m", "evaluation.drift", str(data), str(scenes), str(result)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"the scenes of both adapters cannot be compared: {done.stderr.strip()}")
    return decode(RowChanges, read_json(result), str(result)).rows
