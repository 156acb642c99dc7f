"""Rows of a CSV file: its delimiter, its columns, and quotes that nobody closed."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from data_prep.sources.source_files import SourceFile
from nothing_gpt.errors import UserError

_DELIMITERS = (",", "\t", ";", "|")

# A row of more lines is no row: the longest speeches of sitcoms have a dozen.
_MAX_LINES = 200

# This many lines that look like rows are not a coincidence.
_CERTAIN = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A row.

    Attributes:
        line: The number of its first line in the file.
        cells: The cells of the columns that were asked for, stripped; a missing one is empty.
        whole: All cells, as they are.
        width: The number of columns in the header.
    """

    line: int
    cells: tuple[str, ...]
    whole: tuple[str, ...]
    width: int


def read_rows(
    file: SourceFile, columns: Sequence[str], delimiter: str = "", *, key: Sequence[str] = ()
) -> list[Row]:
    """Read the rows of a file.

    Args:
        columns: The columns of `Row.cells`.
        delimiter: Between the columns; "" finds it by the header.
        key: Columns with few values, such as the episode, by which rows that a quote swallowed
            are found again.

    Raises:
        UserError: the file is not CSV, lacks a column, or has a quote that nobody closed.
    """
    lines = list(io.StringIO(file.text, newline=""))
    delimiter = delimiter or _find_delimiter(lines[:1], columns)
    reader = csv.reader(lines, delimiter=delimiter)
    rows: list[Row] = []
    spans: list[tuple[int, int]] = []
    start = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        indices = _find_columns(file, header, columns)
        start = reader.line_num + 1
        for row in reader:
            if row:
                cells = tuple(row[i].strip() if i < len(row) else "" for i in indices)
                rows.append(Row(start, cells, tuple(row), len(header)))
            if reader.line_num > start:
                spans.append((start, reader.line_num))
            start = reader.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"{file.name}: line {start} is not CSV ({error}); is a quote left open?"
        ) from None
    places = [header.index(name) for name in key]
    _check_spans(file, lines, spans, _Shape(delimiter, len(header), places, rows))
    return rows


class _Shape:
    """What a row on one line looks like: its number of cells, and the values of its key."""

    def __init__(
        self, delimiter: str, width: int, places: Sequence[int], rows: Sequence[Row]
    ) -> None:
        self._delimiter, self._width, self._places = delimiter, width, places
        self._keys = {self._find_key(row.whole) for row in rows if len(row.whole) == width}

    def fits(self, line: str) -> bool:
        cells = line.split(self._delimiter)
        key = self._find_key(cells) if len(cells) == self._width else ()
        return any(key) and key in self._keys

    def _find_key(self, cells: Sequence[str]) -> tuple[str, ...]:
        return tuple(cells[place].strip() for place in self._places)


def _check_spans(
    file: SourceFile, lines: Sequence[str], spans: Sequence[tuple[int, int]], shape: _Shape
) -> None:
    """Refuse a row of several lines if it is too long, or if its lines are rows themselves.

    A line of a speech can look like a row by chance, so a single one counts only if the row's
    first line looks like a row too.
    """
    for start, end in spans:
        swallowed = sum(shape.fits(line) for line in lines[start:end])
        needed = 1 if shape.fits(lines[start - 1]) else _CERTAIN
        if swallowed >= needed or end - start >= _MAX_LINES:
            raise UserError(
                f"{file.name}: line {start}: a quote that is opened there and not closed takes"
                f' the lines up to {end} into one cell; close it, or double it ("") if it is'
                " part of the text"
            )


def _find_delimiter(first: Sequence[str], columns: Sequence[str]) -> str:
    """Return the delimiter that makes the most of the columns from a header."""

    def count(delimiter: str) -> int:
        names = {name.strip() for name in next(csv.reader(first, delimiter=delimiter), [])}
        return len(names.intersection(columns))

    return max(_DELIMITERS, key=count)


def _find_columns(file: SourceFile, header: list[str], columns: Sequence[str]) -> list[int]:
    missing = [name for name in dict.fromkeys(columns) if name not in header]
    if missing:
        raise UserError(
            f"{file.name}: no column {_quote(missing)} (it has {_quote(header) or 'none'});"
            " name the right ones in the show's [corpus.columns], [corpus.titles] or where"
        )
    return [header.index(name) for name in columns]


def _quote(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
