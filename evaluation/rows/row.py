"""The rows, in the order of the table."""

from dataclasses import dataclass
from math import isnan
from typing import Literal

from evaluation.rows import corruption, tally
from evaluation.rows.corruption import Corruption
from evaluation.rows.tally import Count, count_each


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table.

    Attributes:
        best: Which value is best: high or low ones, or those near real scenes.
        form: How a value is printed.
        corrupt: What makes real scenes the row's floor.
        floor: The floor, in words.
        margin: How much worse than real scenes a model may be and still pass; None for rows that
            are no gate.
        is_share: Whether values are between 0 and 1.
    """

    name: str
    count: Count
    best: Literal["high", "low", "near"]
    form: str
    corrupt: Corruption | None = None
    floor: str = ""
    margin: float | None = None
    is_share: bool = True

    def passes(self, value: float, ceiling: float) -> bool | None:
        """Return whether a value is within the margin; None without a gate or a value."""
        if self.margin is None or isnan(value - ceiling):
            return None
        return (ceiling - value if self.best == "high" else value - ceiling) <= self.margin


ROWS = (
    Row(
        "lines that parse (raw)",
        count_each(tally.count_parsed),
        "high",
        ".1%",
        corruption.drop_brackets,
        "no brackets",
        margin=0.02,
    ),
    Row(
        "voice",
        tally.count_voices,
        "high",
        ".3f",
        corruption.shuffle_speakers,
        "shuffled speakers",
    ),
    Row(
        "surprise",
        count_each(tally.count_bits),
        "near",
        ".3f",
        corruption.copy_training,
        "copied scenes",
        is_share=False,
    ),
    Row(
        "cast share",
        count_each(tally.count_leads),
        "near",
        ".3f",
        corruption.give_all_to_leads,
        "leads only",
    ),
    Row(
        "context fit",
        tally.count_context_fit,
        "near",
        ".3f",
        corruption.swap_contexts,
        "other contexts",
    ),
    Row(
        "line order",
        count_each(tally.count_order),
        "near",
        ".3f",
        corruption.shuffle_lines,
        "shuffled lines",
    ),
    Row(
        "punctuation",
        count_each(tally.count_exclamations),
        "near",
        ".3f",
        corruption.soften_marks,
        "no exclamations",
    ),
    Row(
        "loops and repeats",
        count_each(tally.count_echoes),
        "low",
        ".1%",
        corruption.repeat_first_lines,
        "a loop of three lines",
        margin=0.05,
    ),
    Row(
        "quotation",
        count_each(tally.count_quotations),
        "low",
        ".1%",
        corruption.copy_training,
        "copied scenes",
        margin=0.05,
    ),
)
"""The rows that scenes alone give, and that two models are compared by."""

DETAILS = (
    Row("words of the scripts", count_each(tally.count_known_words), "high", ".1%"),
    Row("words in a line", count_each(tally.count_words), "near", ".1f", is_share=False),
    Row(
        "words in a line, second half",
        count_each(tally.count_late_words),
        "near",
        ".1f",
        is_share=False,
    ),
    Row("speakers in a scene", count_each(tally.count_speakers), "near", ".1f", is_share=False),
    Row("lines in a scene, uncut", count_each(tally.count_lines), "near", ".1f", is_share=False),
)
"""Rows that only describe; no verdict rests on them."""

LOSS = Row(
    "bits a byte", tally.count_nothing, "low", ".3f", floor="a character model", is_share=False
)
"""The row that the models' losses on real scenes give, not scenes of their own."""
