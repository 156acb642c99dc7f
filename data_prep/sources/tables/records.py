"""Rows of tables that are no CSV: JSON, JSON Lines, Parquet, and Cornell's movie lines."""

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from data_prep.sources.source_files import SourceFile
from data_prep.sources.tables.row import Row, Table
from nothing_gpt.errors import UserError

CORNELL_MARK = "+++$+++"
"""What stands between the cells of Cornell's movie lines, which have no header."""

_CORNELL_HEADER = ("lineID", "characterID", "movieID", "name", "text")
_DIGITS = re.compile("[0-9]{1,18}")

_HEADER_RECORDS = 100  # records in which every column occurs


def open_json(file: SourceFile) -> Table:
    """Read JSON: a list of objects, or lists of them inside of objects, at any depth.

    An object that holds lists of objects is no row; its own values are those of each row below,
    such as the episode of its lines.

    Raises:
        UserError: it is no JSON, or has no objects.
    """
    try:
        data = json.loads(file.text)
    except ValueError as error:
        raise UserError(f"{file.name}: not valid JSON ({error})") from None
    except RecursionError:
        raise UserError(f"{file.name}: JSON that is nested too deep") from None
    return _open_records(file, _flatten(data))


def open_jsonl(file: SourceFile) -> Table:
    """Read JSON Lines, an object a line.

    Raises:
        UserError: a line is no object.
    """
    return _open_records(file, _read_jsonl(file))


def open_parquet(file: SourceFile) -> Table:
    """Read Parquet.

    Raises:
        UserError: the file is damaged.
    """
    import pyarrow
    import pyarrow.parquet

    def read(parquet: Any) -> Iterator[Mapping[str, Any]]:
        try:
            for batch in parquet.iter_batches():
                yield from batch.to_pylist()
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            raise UserError(f"{file.name}: damaged Parquet ({error})"[:300]) from None

    try:
        parquet = pyarrow.parquet.ParquetFile(io.BytesIO(file.data))
        names = list(parquet.schema_arrow.names)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise UserError(f"{file.name}: damaged Parquet ({error})"[:300]) from None
    return _make_table(names, read(parquet))


def open_cornell(file: SourceFile) -> Table:
    """Read Cornell's movie lines, in the order of their numbers: the file has them in another."""
    lines = (line.rstrip("\r\n").split(CORNELL_MARK) for line in file.open_text())
    rows = [Row(number, cells) for number, cells in enumerate(lines, 1) if any(cells)]
    places: dict[str, int] = {}
    for row in rows:
        places.setdefault(_find_movie(row), len(places))
    rows.sort(key=lambda row: (places[_find_movie(row)], _find_number(row)))
    return Table(_CORNELL_HEADER, lambda _: iter(rows))


def _find_movie(row: Row) -> str:
    return row.cells[2] if len(row.cells) > 2 else ""


def _find_number(row: Row) -> int:
    match = _DIGITS.search(row.cells[0])
    return int(match[0]) if match else 0


def _flatten(data: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the innermost objects, each with the plain values of those around it."""
    waiting: list[tuple[Any, dict[str, Any]]] = [(data, {})]
    while waiting:
        value, outer = waiting.pop()
        if isinstance(value, list):
            waiting.extend((each, outer) for each in reversed(value))
        elif isinstance(value, dict):
            plain = {key: each for key, each in value.items() if not _holds_objects(each)}
            inner = [each for each in value.values() if _holds_objects(each)]
            if not inner:
                yield {**outer, **plain}
            waiting.extend((each, {**outer, **plain}) for each in reversed(inner))


def _holds_objects(value: Any) -> bool:
    if isinstance(value, dict):
        return True
    return isinstance(value, list) and any(isinstance(each, (dict, list)) for each in value)


def _read_jsonl(file: SourceFile) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(file.open_text(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{file.name}: line {number} is not JSON ({error})") from None
        if not isinstance(record, dict):
            raise UserError(f"{file.name}: line {number} is no JSON object")
        yield record


def _open_records(file: SourceFile, records: Iterator[Mapping[str, Any]]) -> Table:
    first = list(islice(records, _HEADER_RECORDS))
    if not first:
        raise UserError(f"{file.name}: no records in it")
    header = list(dict.fromkeys(key for record in first for key in record))
    return _make_table(header, chain(first, records))


def _make_table(header: Sequence[str], records: Iterator[Mapping[str, Any]]) -> Table:
    def read(_: Sequence[int]) -> Iterator[Row]:
        for number, record in enumerate(records, 1):
            yield Row(number, [_to_cell(record.get(name)) for name in header])

    return Table(header, read)


def _to_cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
