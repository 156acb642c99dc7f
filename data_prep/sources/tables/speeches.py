"""Speeches from a table, one a row, in the columns that the show names or in usual ones."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from html import unescape
from operator import itemgetter
from pathlib import PurePosixPath

from data_prep.episode import NearMiss, Reading, Speech
from data_prep.sources.source_files import SourceFile
from data_prep.sources.tables.columns import check_columns, count_known, find_columns
from data_prep.sources.tables.csv_rows import open_csv
from data_prep.sources.tables.records import (
    open_cornell,
    open_json,
    open_jsonl,
    open_parquet,
)
from data_prep.sources.tables.row import Row, Table
from nothing_gpt.line import collapse
from nothing_gpt.show import Corpus, Titles

TABLES = {"json": open_json, "jsonl": open_jsonl, "parquet": open_parquet, "cornell": open_cornell}
"""The readers of tables that are no CSV, by their format."""

_FILTERED = "left out by the show's 'where'"


def read_table(
    file: SourceFile, corpus: Corpus, titles: SourceFile | None = None, table_format: str = "csv"
) -> Reading:
    """Read the speeches of a table.

    An episode's title is its premise. A row that begins with one of the show's setting markers
    is the setting of the rows after it, up to the next such row or the end of the episode; a
    column of settings goes before it. HTML entities in them become characters.

    Args:
        corpus: The show's; it can name the columns.
        titles: The table of titles.
        table_format: `csv` or one of `TABLES`.

    Raises:
        UserError: a file is damaged, lacks a column, or has a quote that nobody closed.
    """
    notes = []
    names: dict[str, str] = {}
    if corpus.titles is not None:
        if titles is not None:
            names = _read_titles(titles, corpus.titles)
        else:
            notes.append(f"no episode titles: {corpus.titles.file} is not beside {file.name}")
    if table_format == "csv":
        table = open_csv(file, partial(count_known, corpus=corpus), corpus.delimiter)
    else:
        table = TABLES[table_format](file)
    reader = _TableReader(file, table, corpus, names)
    reader.read(table)
    return Reading(
        reader.speeches,
        reader.settings,
        reader.settings,
        left_out=dict(reader.left_out),
        near_misses=tuple(reader.near_misses),
        notes=(*notes, *reader.describe_doubts()),
    )


class _TableReader:
    def __init__(
        self, file: SourceFile, table: Table, corpus: Corpus, titles: dict[str, str]
    ) -> None:
        self._file, self._titles, self._width = file.name, titles, len(table.header)
        self._whole = PurePosixPath(file.path).stem
        self._places = find_columns(file.name, table.header, corpus)
        self._markers = tuple(marker.upper() for marker in corpus.setting_markers)
        self._episode = self._setting = ""
        self.speeches: list[Speech] = []
        self.settings = 0
        self.left_out: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.near_misses: list[NearMiss] = []
        self._seen: set[int] = set()
        self._repeated = self._first_repeated = 0
        places = self._places
        keys = (*places.episode, *(() if places.season is None else (places.season,)))
        self._find_key = itemgetter(*keys) if keys else None
        self._episodes: dict[object, str] = {}
        self._seasons: dict[str, str] = {}
        self._merged: dict[str, str] = {}
        # One object for each text that occurs often: names, episodes, settings.
        self._shared: dict[str, str] = {}

    def read(self, table: Table) -> None:
        seen, width, read_row = self._seen, self._width, self._read_row
        for row in table.read(self._places.episode or (self._places.character,)):
            found = hash(tuple(row.cells))
            if found in seen:
                self._repeated += 1
                self._first_repeated = self._first_repeated or row.line
            else:
                seen.add(found)
            read_row(row if len(row.cells) == width else self._mend_width(row))

    def _mend_width(self, row: Row) -> Row:
        cells = row.cells
        if len(cells) > self._width:
            reason = f"a row of {len(cells)} cells under a header of {self._width}"
            text = collapse(", ".join(cells))
            self.near_misses.append(NearMiss(self._file, row.line, text, reason))
        return Row(row.line, [*cells, *[""] * (self._width - len(cells))])

    def _read_row(self, row: Row) -> None:
        cells, places = row.cells, self._places
        character, dialogue = cells[places.character].strip(), cells[places.dialogue].strip()
        if places.where and any(
            cells[place].strip().casefold() != wanted for place, wanted in places.where
        ):
            self.left_out[_FILTERED][collapse(f"{character}: {dialogue}")] += 1
            return
        character, dialogue = unescape(character), unescape(dialogue)
        episode = self._find_episode(row)
        if episode != self._episode:
            self._episode, self._setting = episode, ""
        if self._markers and character.upper().startswith(self._markers):
            marker = next(m for m in self._markers if character.upper().startswith(m))
            setting = collapse(f"{character[len(marker) :]} {dialogue}").strip("[]:. ")
            self._setting = setting
            self.settings += 1
            return
        setting = self._setting
        if places.setting:
            own = (cells[place].strip() for place in places.setting)
            setting = self._share(collapse(unescape(", ".join(filter(None, own))))) or setting
        premise = self._titles.get(episode, "")
        character = self._share(character)
        self.speeches.append(
            Speech(episode, character, dialogue, premise, setting, self._file, row.line)
        )

    def _find_episode(self, row: Row) -> str:
        """Find a row's episode, once for all rows with the same cells."""
        if self._find_key is None:
            return self._whole
        key = self._find_key(row.cells)
        episode = self._episodes.get(key)
        if episode is None:
            episode = self._episodes[key] = self._name_episode(row)
        return episode

    def _name_episode(self, row: Row) -> str:
        places = self._places
        parts = [row.cells[place].strip() for place in places.episode]
        episode = self._share("-".join(parts)) if all(parts) else ""
        if places.season is not None and episode:
            season = row.cells[places.season].strip()
            if season != self._seasons.setdefault(episode, season):
                self._merged.setdefault(episode, f"{self._seasons[episode]} and {season}")
        return episode

    def _share(self, text: str) -> str:
        return self._shared.setdefault(text, text)

    def describe_doubts(self) -> Iterator[str]:
        """Say what may be wrong with the table as a whole."""
        if not self._places.episode:
            yield f"{self._file}: no column of episodes, so all of it is one episode"
        if self._merged:
            episode, seasons = next(iter(self._merged.items()))
            yield (
                f"{self._file}: episodes of different seasons are one ({len(self._merged):,} of"
                f" them; '{episode}' is in seasons {seasons}); list both columns in 'episode' of"
                " the show's [corpus.columns]"
            )
        if self._repeated:
            rows = "1 row is" if self._repeated == 1 else f"{self._repeated:,} rows are"
            yield (
                f"{rows} the same as an earlier row in every column (the first in line"
                f" {self._first_repeated}); all are kept"
            )


def _read_titles(file: SourceFile, titles: Titles) -> dict[str, str]:
    columns = (titles.episode, titles.title)
    table = open_csv(file, lambda header: len({*columns}.intersection(header)))
    check_columns(file.name, table.header, columns)
    places = [table.header.index(name) for name in columns]
    found: dict[str, list[str]] = {}
    for row in table.read(()):
        cells = [row.cells[place].strip() if place < len(row.cells) else "" for place in places]
        found.setdefault(cells[0], []).append(unescape(cells[1]))
    # Two episodes with one script have two titles.
    return {episode: " / ".join(filter(None, names)) for episode, names in found.items()}
