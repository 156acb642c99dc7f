"""The chat examples that data_prep wrote, in the form that TRL takes."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json, read_jsonl
from nothing_gpt.show import FormatName
from nothing_gpt.workspace import DATA_REPORT_FILE, HELD_OUT_FILE, TRAINING_FILE
from train.data.chat_example import ChatExample
from train.data.line_order import order_by_new_lines

if TYPE_CHECKING:
    from datasets import Dataset


T = TypeVar("T")


class MissingDataError(UserError):
    """The examples of a show are not prepared."""


@dataclass(frozen=True, slots=True)
class RunExamples:
    """The examples of one run, read once.

    Attributes:
        training: All training examples.
        held_out: All held-out examples.
        trained: The training examples that a bounded run uses.
        evaluated: The held-out examples that the run evaluates.
        pretraining: The examples that the pocket base is trained on; empty for a real base.
    """

    training: list[ChatExample]
    held_out: list[ChatExample]
    trained: list[ChatExample]
    evaluated: list[ChatExample]
    pretraining: list[ChatExample]


def load_examples(
    data: Path,
    pretraining_data: Path | None,
    *,
    max_training: int | None,
    max_held_out: int | None,
    seed: int,
    lines_once: bool = False,
) -> RunExamples:
    """Read the examples of a run, and draw those that it uses.

    Args:
        data: The folder of the run's examples.
        pretraining_data: The folder of the pocket base's examples; None for a real base.
        max_training: Training examples to use at most; None is all.
        max_held_out: Held-out examples to evaluate at most; None is all.
        seed: Seed of the draw.
        lines_once: Draw training examples that share no lines first.

    Raises:
        UserError: the data is missing, empty or damaged.
    """
    training, held_out = read_examples(data)
    pretraining: list[ChatExample] = []
    if pretraining_data is not None:
        pretraining = training if pretraining_data == data else read_examples(pretraining_data)[0]
    return RunExamples(
        training=training,
        held_out=held_out,
        trained=order_by_new_lines(training, seed)[:max_training]
        if lines_once
        else sample(training, max_training, seed),
        evaluated=sample(held_out, max_held_out, seed),
        pretraining=pretraining,
    )


def read_examples(folder: Path) -> tuple[list[ChatExample], list[ChatExample]]:
    """Read the training and the held-out examples of a show.

    Raises:
        UserError: the data is missing, empty or damaged.
    """
    return _read(folder / TRAINING_FILE), _read(folder / HELD_OUT_FILE)


def read_data_report(folder: Path, format_name: FormatName | None = None) -> dict[str, Any]:
    """Read data_prep's report on the examples in a folder.

    Args:
        folder: The folder of the examples.
        format_name: The prompt format that they must have; None allows any.

    Raises:
        MissingDataError: there is no report.
        UserError: the format in the report is unknown, or is not the required one.
    """
    path = folder / DATA_REPORT_FILE
    option = f" --format {format_name}" if format_name else ""
    if not path.is_file():
        raise _missing(path, option)
    report: dict[str, Any] = read_json(path)
    found = report["format"]
    if found not in get_args(FormatName):
        raise UserError(f"{path}: unknown format '{found}'; run 'python -m data_prep --fresh'")
    if format_name:
        check_format(folder, found, format_name)
    return report


def check_format(folder: Path, found: FormatName, required: FormatName) -> None:
    """Check the prompt format of the examples in a folder.

    Raises:
        UserError: it is not the required one.
    """
    if found != required:
        raise UserError(
            f"{folder}: examples of the format '{found}', not '{required}';"
            f" run 'python -m data_prep --show NAME --format {required}'"
        )


def _missing(path: Path, option: str = "") -> MissingDataError:
    return MissingDataError(
        f"{path}: no such data; run 'python -m data_prep --show NAME{option}' first"
    )


def _read(path: Path) -> list[ChatExample]:
    if not path.is_file():
        raise _missing(path)
    examples: list[ChatExample] = read_jsonl(path)
    if any(example.keys() != {"prompt", "completion"} for example in examples):
        raise UserError(f"{path}: holds no examples; run 'python -m data_prep --fresh'")
    if not examples:
        raise UserError(f"{path}: is empty; the show needs two episodes of 15 turns or more")
    return examples


def sample(examples: list[T], most: int | None, seed: int) -> list[T]:
    """Draw at most `most` examples, always the same ones for a seed, in their order."""
    if most is None or len(examples) <= most:
        return examples
    chosen = sorted(random.Random(seed).sample(range(len(examples)), most))  # noqa: S311
    return [examples[i] for i in chosen]


def as_dataset(examples: list[ChatExample]) -> "Dataset":
    """Convert examples for the datasets library."""
    from datasets import Dataset

    return Dataset.from_list(examples)


def contents(examples: list[ChatExample]) -> list[str]:
    """List the texts of all messages."""
    return [m["content"] for e in examples for m in (*e["prompt"], *e["completion"])]
