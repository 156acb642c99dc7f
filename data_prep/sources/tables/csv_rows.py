"""Rows of a CSV file: its delimiter, its columns, and quotes that nobody closed."""

import csv
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import TextIO

from data_prep.sources.source_files import SourceFile
from data_prep.sources.tables.row import Row, Table
from nothing_gpt.errors import UserError

_DELIMITERS = (",", "\t", ";", "|")

# A row of more lines is no row: the longest speeches of sitcoms have a dozen.
_MAX_LINES = 200

# This many lines that look like rows are not a coincidence.
_CERTAIN = 3


CountKnown = Callable[[Sequence[str]], int]
"""Counts the names of a header that are wanted or usual."""


def open_csv(file: SourceFile, count_known: CountKnown, delimiter: str = "") -> Table:
    """Read the header of a file, its first line that is not empty.

    Args:
        delimiter: Between the columns; "" finds the one that makes the most known names.

    Raises:
        UserError: the file is not CSV, or, while rows are read, has a quote that nobody closed.
    """
    lines = file.open_text()
    first, line = lines.readline(), 1
    while first and not first.strip():
        first, line = lines.readline(), line + 1
    chosen = delimiter or _find_delimiter(first, count_known)
    header = _split(first, chosen)
    return Table(header, lambda key: _read_rows(file, lines, line, chosen, len(header), key))


def find_header(first: str, count_known: CountKnown) -> list[str]:
    """Return the names of the columns, by the first line of a file."""
    return _split(first, _find_delimiter(first, count_known))


def _find_delimiter(first: str, count_known: CountKnown) -> str:
    def count(delimiter: str) -> tuple[int, int]:
        names = _split(first, delimiter)
        return count_known(names), len(names)

    return max(_DELIMITERS, key=count)


def _split(first: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _read_rows(
    file: SourceFile,
    lines: TextIO,
    header_line: int,
    delimiter: str,
    width: int,
    key: Sequence[int],
) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter)
    shape = _Shape(delimiter, width, key)
    spans: list[tuple[int, int]] = []
    start = header_line + 1
    learn = shape.learn
    try:
        for cells in reader:
            if cells:
                yield Row(start, cells)
                if len(cells) == width:
                    learn(cells)
            following = reader.line_num + header_line + 1
            if following > start + 1:
                if following > start + _MAX_LINES:
                    raise _open_quote(file, start, following - 1)
                spans.append((start, following - 1))
            start = following
    except csv.Error as error:
        raise UserError(
            f"{file.name}: line {start} is not CSV ({error}); is a quote left open?"
        ) from None
    for (first, last), span in zip(spans, _list_spans(file, spans), strict=True):
        if shape.swallows(span):
            raise _open_quote(file, first, last)


def _list_spans(file: SourceFile, spans: Sequence[tuple[int, int]]) -> Iterator[list[str]]:
    """Yield the lines of each span; the first line of a file is 1."""
    lines = enumerate(file.open_text(), 1)
    for first, last in spans:
        span: list[str] = []
        while len(span) <= last - first:
            number, line = next(lines)
            if number >= first:
                span.append(line)
        yield span


class _Shape:
    """What a row on one line looks like: its number of cells, and the values of its key."""

    def __init__(self, delimiter: str, width: int, places: Sequence[int]) -> None:
        self._delimiter, self._width = delimiter, width
        self._find_key = itemgetter(*places) if places else _find_nothing
        self._keys: set[str | tuple[str, ...]] = set()

    def learn(self, cells: Sequence[str]) -> None:
        self._keys.add(self._find_key(cells))

    def swallows(self, span: Sequence[str]) -> bool:
        """Return whether lines of one row are rows themselves.

        A line of a speech can look like a row by chance, so a single one counts only if the
        first line looks like a row too.
        """
        needed = 1 if self._fits(span[0]) else _CERTAIN
        return sum(map(self._fits, span[1:])) >= needed

    def _fits(self, line: str) -> bool:
        cells = line.rstrip("\r\n").split(self._delimiter)
        key = self._find_key(cells) if len(cells) == self._width else ""
        return any(key) and key in self._keys


def _find_nothing(_: Sequence[str]) -> str:
    return ""


def _open_quote(file: SourceFile, start: int, end: int) -> UserError:
    return UserError(
        f"{file.name}: line {start}: a quote that is opened there and not closed takes the lines"
        f' up to {end} into one cell; close it, or double it ("") if it is part of the text'
    )
