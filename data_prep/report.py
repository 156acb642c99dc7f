"""The report on a run of data_prep: report.json for programs, report.md for people."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from data_prep.examples.token_lengths import LengthSummary, TokenStatistics
from nothing_gpt.show import FormatName

EXAMPLES = 8
"""Maximum of different examples that a report shows for each reason to drop."""

_EXAMPLE_CHARACTERS = 120  # longer examples are cut
_NAMED_SPEAKERS = 25  # listed by name in report.md


@dataclass(frozen=True, slots=True)
class DroppedRows:
    """The speeches dropped for one reason: their number, and the most frequent texts' counts."""

    count: int
    examples: dict[str, int]


@dataclass(frozen=True, slots=True)
class RowCounts:
    """The number of rows that were read; `read` is the sum of all others."""

    read: int
    kept: int
    settings: int
    dropped: dict[str, DroppedRows]


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """A count in each half of the split."""

    train: int
    validation: int


@dataclass(frozen=True, slots=True)
class DataReport:
    """The results of a run of data_prep.

    Attributes:
        inputs: The fingerprint of the inputs; the next run compares it with its own.
        turns: The number of turns after those of one speaker are merged.
        direction: The number of examples that carry each part of a direction.
        tokens: None without a tokenizer; `notes` then has the reason.
    """

    inputs: str
    show: str
    title: str
    format: FormatName
    source: str
    licence: str
    rows: RowCounts
    episodes: SplitCounts
    held_out: tuple[str, ...]
    turns: int
    examples: SplitCounts
    direction: dict[str, int]
    characters: dict[str, int]
    tokens: TokenStatistics | None = None
    notes: tuple[str, ...] = ()


def summarize_dropped(texts: Counter[str]) -> DroppedRows:
    """Count the speeches dropped for one reason, and choose the most frequent as examples."""
    shown: Counter[str] = Counter()
    for text, count in texts.items():
        cut = text[: _EXAMPLE_CHARACTERS - 1] + "…"
        shown[text if len(text) <= _EXAMPLE_CHARACTERS else cut] += count
    return DroppedRows(texts.total(), dict(shown.most_common(EXAMPLES)))


def render_report(report: DataReport) -> str:
    """Render the report as Markdown."""
    return "\n\n".join(_sections(report)) + "\n"


def _sections(report: DataReport) -> Iterator[str]:
    rows, examples = report.rows, report.examples
    yield f"# {report.title}: training examples"
    yield from (f"**Note:** {note}." for note in report.notes)
    yield _table(
        ("", "training", "validation"),
        [
            ("episodes", report.episodes.train, report.episodes.validation),
            ("examples", examples.train, examples.validation),
        ],
    )
    yield (
        f"Format `{report.format}`, source `{report.source}`. Licence of the scripts:"
        f" {report.licence}"
    )
    yield f"Held out: {', '.join(report.held_out) or 'nothing'}."
    if report.direction:
        total = examples.train + examples.validation
        shares = [
            (part, count, f"{count / total:.0%}") for part, count in report.direction.items()
        ]
        yield "## Direction"
        yield _table(("part", "examples that have it", "share"), shares)
    yield "## Rows"
    yield (
        f"{rows.read:,} read, {rows.kept:,} kept as lines; neighbouring lines of one speaker"
        f" joined, they make {report.turns:,} turns."
    )
    yield _table(("row", "number", "for example"), _list_rows(rows))
    yield "## Tokens"
    yield from _token_sections(report.tokens)
    yield "## Lines by character"
    yield _table(("character", "lines", "share"), _list_speakers(report.characters, rows.kept))


def _list_rows(rows: RowCounts) -> Iterator[tuple[object, ...]]:
    yield ("kept", rows.kept, "")
    if rows.settings:
        yield ("tells the setting", rows.settings, "")
    for reason, dropped in rows.dropped.items():
        shown = (
            f"`{text.replace('`', chr(39)).replace('|', '/')}`"
            + (f" ({n:,} times)" if n > 1 else "")
            for text, n in dropped.examples.items()
        )
        yield (f"dropped: {reason}", dropped.count, ", ".join(shown))


def _token_sections(tokens: TokenStatistics | None) -> Iterator[str]:
    if tokens is None:
        yield "Not counted."
        return

    def row(name: str, s: LengthSummary) -> tuple[object, ...]:
        return (name, s.minimum, round(s.mean), s.p50, s.p90, s.p95, s.p99, s.maximum)

    yield (
        f"Counted by `{tokens.tokenizer}`; the whole includes {tokens.overhead} tokens of"
        " chat template."
    )
    yield _table(
        ("tokens", "min", "mean", "P50", "P90", "P95", "P99", "max"),
        [row("whole example", tokens.total), row("completion", tokens.completion)],
    )
    yield (
        f"Longer than {tokens.max_length:,} tokens: {tokens.over_max_length:,} examples"
        f" ({tokens.share_over_max_length:.2%})."
    )


def _list_speakers(characters: dict[str, int], total: int) -> Iterator[tuple[object, ...]]:
    named = list(characters.items())
    for name, count in named[:_NAMED_SPEAKERS]:
        yield (name, count, f"{count / total:.1%}")
    if rest := named[_NAMED_SPEAKERS:]:
        count = sum(count for _, count in rest)
        yield (f"{len(rest):,} others", count, f"{count / total:.1%}")


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    def line(cells: Iterable[object]) -> str:
        texts = (f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells)
        return f"| {' | '.join(texts)} |"

    ruler = "|" + "|".join("---" for _ in header) + "|"
    return "\n".join([line(header), ruler, *map(line, rows)])
