"""The report on a run of data_prep: report.json for programs, report.md for people."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from data_prep.episode import NearMiss
from data_prep.examples.token_lengths import LengthSummary, TokenStatistics
from data_prep.line_counts import LineCounts
from nothing_gpt.show import FormatName

EXAMPLES = 20
"""Maximum of different texts that report.md shows for each reason to drop, and of near misses."""

_EXAMPLE_CHARACTERS = 120  # longer texts are cut
_NAMED_SPEAKERS = 25  # listed by name in report.md


@dataclass(frozen=True, slots=True)
class DroppedRows:
    """What was dropped for one reason: its number, and each text's, the most frequent first."""

    count: int
    examples: dict[str, int]


@dataclass(frozen=True, slots=True)
class RowCounts:
    """The number of speeches, and of settings in a table; `read` is the sum of all others."""

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
        lines: What became of every line of the sources.
        left_out: The lines that are neither speech, setting nor direction, by their reason;
            `rows` has the speeches that were dropped.
        near_misses: Lines that look like something else than what they were taken for.
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
    lines: LineCounts = field(default_factory=LineCounts)
    left_out: dict[str, DroppedRows] = field(default_factory=dict)
    near_misses: tuple[NearMiss, ...] = ()


def summarize_dropped(texts: Counter[str]) -> DroppedRows:
    """Count what was dropped for one reason."""
    return DroppedRows(texts.total(), dict(texts.most_common()))


def render_report(report: DataReport) -> str:
    """Render the report as Markdown."""
    return "\n\n".join(_sections(report)) + "\n"


def _sections(report: DataReport) -> Iterator[str]:
    rows, examples = report.rows, report.examples
    yield f"# {report.title}: training examples"
    yield from _near_miss_sections(report.near_misses)
    yield from (f"**Note:** {note}." for note in report.notes)
    yield "## Lines of the sources"
    yield _table(("lines", "number", "share", "for example"), _list_lines(report))
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
    yield "## Speeches"
    yield (
        f"{rows.read:,} speeches and settings read, {rows.kept:,} speeches kept; neighbouring"
        f" ones of one speaker joined, they make {report.turns:,} turns."
    )
    yield _table(("row", "number", "for example"), _list_rows(rows))
    yield "## Tokens"
    yield from _token_sections(report.tokens)
    yield "## Lines by character"
    yield _table(("character", "lines", "share"), _list_speakers(report.characters))


def _list_rows(rows: RowCounts) -> Iterator[tuple[object, ...]]:
    yield ("kept", rows.kept, "")
    if rows.settings:
        yield ("tells the setting", rows.settings, "")
    for reason, dropped in rows.dropped.items():
        yield (f"dropped: {reason}", dropped.count, _list_examples(dropped))


def _near_miss_sections(near_misses: tuple[NearMiss, ...]) -> Iterator[str]:
    yield "## Near misses"
    if not near_misses:
        yield "None: no line looks like something else than what it was taken for."
        return
    yield "Look at these first: they may be speeches that were not read as such, or the reverse."
    rows = [
        (f"{miss.file}:{miss.line}", _quote(miss.text), miss.reason)
        for miss in near_misses[:EXAMPLES]
    ]
    yield _table(("where", "line", "why"), rows)
    if (rest := len(near_misses) - EXAMPLES) > 0:
        yield f"{rest:,} more are in report.json."


def _list_lines(report: DataReport) -> Iterator[tuple[object, ...]]:
    lines = report.lines
    named = {"speech": lines.speech, "setting": lines.setting, "direction": lines.direction}
    dropped = {f"dropped: {reason}": count for reason, count in lines.dropped.items()}
    for name, count in {**named, **dropped, "read": lines.read}.items():
        left_out = report.left_out.get(name.removeprefix("dropped: "))
        examples = _list_examples(left_out) if left_out else ""
        yield (name, count, f"{count / max(lines.read, 1):.1%}", examples)


def _list_examples(dropped: DroppedRows) -> str:
    examples = list(dropped.examples.items())
    shown = [
        _quote(text) + (f" ({n:,} times)" if n > 1 else "") for text, n in examples[:EXAMPLES]
    ]
    if (rest := len(examples) - EXAMPLES) > 0:
        shown.append(f"and {rest:,} more in report.json")
    return ", ".join(shown)


def _quote(text: str) -> str:
    if len(text) > _EXAMPLE_CHARACTERS:
        text = text[: _EXAMPLE_CHARACTERS - 1] + "…"
    return f"`{text.replace('`', chr(39)).replace('|', '/')}`"


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


def _list_speakers(characters: dict[str, int]) -> Iterator[tuple[object, ...]]:
    total = sum(characters.values())
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
