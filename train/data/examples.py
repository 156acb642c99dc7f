"""The examples that data_prep left, as TRL takes them."""

import random
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json, read_jsonl
from nothing_gpt.show import FormatName
from nothing_gpt.workspace import DATA_REPORT_FILE, HELD_OUT_FILE, TRAINING_FILE

if TYPE_CHECKING:
    from datasets import Dataset

ChatExample = dict[str, list[dict[str, str]]]
"""`prompt` and `completion`, each a list of chat messages."""


def read_examples(
    folder: Path, format_name: FormatName | None = None
) -> tuple[list[ChatExample], list[ChatExample]]:
    """Read the training and the held-out examples of a show.

    Raises:
        UserError: the data is not there, is empty, was damaged, or is of another format than
            the one that is asked for.
    """
    option = f" --format {format_name}" if format_name else ""
    halves = _read(folder / TRAINING_FILE, option), _read(folder / HELD_OUT_FILE, option)
    if format_name and data_format(folder) != format_name:
        raise UserError(
            f"{folder}: examples of the format '{data_format(folder)}', not '{format_name}';"
            f" run 'python -m data_prep --show NAME{option}'"
        )
    return halves


def data_format(folder: Path) -> FormatName:
    """Tell which prompt format data_prep wrote the examples in.

    Raises:
        UserError: data_prep's report is missing or names a format that is not known.
    """
    path = folder / DATA_REPORT_FILE
    name: FormatName = read_json(path)["format"]
    if name not in get_args(FormatName):
        raise UserError(f"{path}: unknown format '{name}'; run 'python -m data_prep --fresh'")
    return name


def _read(path: Path, option: str) -> list[ChatExample]:
    if not path.is_file():
        raise UserError(
            f"{path}: no such data; run 'python -m data_prep --show NAME{option}' first"
        )
    examples: list[ChatExample] = read_jsonl(path)
    if any(example.keys() != {"prompt", "completion"} for example in examples):
        raise UserError(f"{path}: holds no examples; run 'python -m data_prep --fresh'")
    if not examples:
        raise UserError(f"{path}: is empty; the show needs two episodes of 15 turns or more")
    return examples


def sample(examples: list[ChatExample], most: int | None, seed: int) -> list[ChatExample]:
    """Draw at most so many examples, the same ones every time, in their order."""
    if most is None or len(examples) <= most:
        return examples
    chosen = sorted(random.Random(seed).sample(range(len(examples)), most))  # noqa: S311
    return [examples[i] for i in chosen]


def as_dataset(examples: list[ChatExample]) -> "Dataset":
    """Hand examples to the datasets library."""
    from datasets import Dataset

    return Dataset.from_list(examples)


def contents(examples: list[ChatExample]) -> list[str]:
    """List the texts of all messages."""
    return [m["content"] for e in examples for m in (*e["prompt"], *e["completion"])]
