"""A table as its rows, independent of the format of its file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Row(NamedTuple):
    """A row: the number of its first line in the file, or of its record, and all its cells."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        header: The names of the columns.
        read: Reads the rows. Its argument has the indices of columns with few values, such as the
            episode, by which rows that an open quote swallowed are found again.
    """

    header: Sequence[str]
    read: Callable[[Sequence[int]], Iterator[Row]]
