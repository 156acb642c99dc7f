"""The scorecard as a table, for the terminal and in Markdown."""

import os
from collections.abc import Iterator, Sequence

from evaluation.scorecard import Estimate, Scorecard, ScoredRow

_NONE = "-"

_FILE_WIDTH = 160
"""Characters in a line where the output is a file."""


def print_scorecard(card: Scorecard) -> None:
    """Print the scorecard: the rows, the details below, and the notes."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=describe_title(card), title_justify="left")
    head, *rows = list_cells(card)
    for column in head:
        table.add_column(column, overflow="fold")
    for at, row in enumerate(rows, 1):
        # Intervals and names below their values, so that few columns are enough.
        cells = [cell.replace(" [", "\n[").replace("] ", "]\n") for cell in row]
        table.add_row(*cells, end_section=at == len(card.rows))
    is_known = Console().is_terminal or "COLUMNS" in os.environ
    Console(width=None if is_known else _FILE_WIDTH, markup=False).print(table)
    for note in describe_notes(card):
        print(note)


def render_markdown(card: Scorecard) -> str:
    """Return the scorecard as Markdown."""
    head, *rows = list_cells(card)
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    notes = "".join(f"\n- {note}" for note in describe_notes(card))
    return f"{describe_title(card)}\n\n{table}\n{notes}\n"


def describe_title(card: Scorecard) -> str:
    """Return a line that says what was measured."""
    return (
        f"{card.show}: {card.scenes} scenes of {' and of '.join(card.models)}, "
        f"{card.windows} disjoint windows, {card.episodes} held-out episodes"
    )


def describe_notes(card: Scorecard) -> list[str]:
    """Return the notes, with the sampling of each model."""
    models = zip(card.models, card.sampling, strict=True)
    return [*card.notes, *(f"{model}: {sampling}" for model, sampling in models)]


def list_cells(card: Scorecard) -> Iterator[list[str]]:
    """Yield the head and the rows of the table."""
    compared = len(card.models) == 2
    yield ["row", *card.models, "real scenes", "floor", "gate", *(["verdict"] if compared else [])]
    for row in (*card.rows, *card.details):
        values = [_format(value, row.form) for value in row.values]
        floor = _format(row.floor, row.form)
        cells = [
            row.name,
            *(values or [_NONE] * len(card.models)),
            _format(row.ceiling, row.form),
            f"{floor} {row.floor_is}" if row.floor else _NONE,
            _describe_gate(row, card.models) or ("" if row.measurable else "not measurable"),
        ]
        yield [*cells, row.verdict] if compared else cells


def _format(value: Estimate | None, form: str) -> str:
    if value is None or value.value is None:
        return _NONE
    text = format(value.value, form)
    if value.low is None or value.high is None:
        return text
    return f"{text} [{format(value.low, form)}, {format(value.high, form)}]"


def _describe_gate(row: ScoredRow, models: Sequence[str]) -> str:
    words = ["pass" if passed else "FAIL" for passed in row.passed]
    if len(set(words)) < 2:
        return "".join(set(words))
    return ", ".join(f"{model}: {word}" for model, word in zip(models, words, strict=True))
