"""Speeches from a table, one a row: a CSV file with the columns that the show names."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from html import unescape

from data_prep.episode import NearMiss, Place, Reading, Speech
from data_prep.sources.csv_rows import Row, read_rows
from data_prep.sources.source_files import SourceFile
from nothing_gpt.line import collapse
from nothing_gpt.show import Columns, Corpus, Titles

_FILTERED = "left out by the show's 'where'"


def read_table(files: Sequence[SourceFile], corpus: Corpus) -> Reading:
    """Read the speeches of a table.

    An episode's title is its premise. A row that begins with one of the show's setting markers
    is the setting of the rows after it, up to the next such row or the end of the episode; a
    column of settings goes before it. HTML entities in them become characters.

    Args:
        files: The table and, optionally, the table of titles.
        corpus: The show's; it names the columns.

    Raises:
        UserError: a file is not text, not CSV, lacks a column that the show names, or has a quote
            that nobody closed.
    """
    assert corpus.columns is not None  # noqa: S101 - Show has checked it
    titles: dict[str, str] = {}
    notes: list[str] = []
    if corpus.titles is not None:
        if len(files) > 1:
            titles = _read_titles(files[1], corpus.titles)
        else:
            notes.append(f"no episode titles: {corpus.titles.file} is not beside {files[0].name}")
    reader = _TableReader(files[0], corpus, corpus.columns, titles)
    if repeated := reader.describe_repeated():
        notes.append(repeated)
    return Reading(
        reader.speeches,
        reader.settings,
        left_out=dict(reader.left_out),
        near_misses=tuple(reader.near_misses),
        notes=tuple(notes),
    )


class _TableReader:
    def __init__(
        self, file: SourceFile, corpus: Corpus, columns: Columns, titles: dict[str, str]
    ) -> None:
        self._file, self._titles = file, titles
        self._episode_width = len(columns.episode_columns)
        self._markers = tuple(marker.upper() for marker in corpus.setting_markers)
        self._wanted = {name: value.casefold().strip() for name, value in corpus.where.items()}
        self.speeches: list[Speech] = []
        self.settings = 0
        self.left_out: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.near_misses: list[NearMiss] = []
        self._repeated = self._first_repeated = 0
        names = [
            columns.character,
            columns.dialogue,
            *columns.episode_columns,
            *self._wanted,
            *columns.setting_columns,
        ]
        self._read(read_rows(file, names, corpus.delimiter, key=columns.episode_columns))

    def _read(self, rows: Sequence[Row]) -> None:
        seen: set[tuple[str, ...]] = set()
        current_episode, setting = "", ""
        for row in rows:
            if row.whole in seen:
                self._repeated += 1
                self._first_repeated = self._first_repeated or row.line
            seen.add(row.whole)
            self._check_width(row)
            character, dialogue, *rest = row.cells
            parts, rest = rest[: self._episode_width], rest[self._episode_width :]
            filtered, places = rest[: len(self._wanted)], rest[len(self._wanted) :]
            episode = "-".join(parts) if all(parts) else ""
            if [value.casefold() for value in filtered] != list(self._wanted.values()):
                self.left_out[_FILTERED][collapse(f"{character}: {dialogue}")] += 1
                continue
            character, dialogue = unescape(character), unescape(dialogue)
            if episode != current_episode:
                current_episode, setting = episode, ""
            if self._markers and character.upper().startswith(self._markers):
                marker = next(m for m in self._markers if character.upper().startswith(m))
                setting = collapse(f"{character[len(marker) :]} {dialogue}").strip("[]:. ")
                self.settings += 1
                continue
            own_setting = collapse(unescape(", ".join(filter(None, places))))
            title = self._titles.get(episode, "")
            place = Place(self._file.name, row.line)
            self.speeches.append(
                Speech(episode, character, dialogue, title, own_setting or setting, place)
            )

    def _check_width(self, row: Row) -> None:
        if len(row.whole) > row.width:
            text = collapse(", ".join(row.whole))
            reason = f"a row of {len(row.whole)} cells under a header of {row.width}"
            self.near_misses.append(NearMiss(self._file.name, row.line, text, reason))

    def describe_repeated(self) -> str:
        """Say how many rows are the same as an earlier one, "" for none."""
        if not self._repeated:
            return ""
        rows = "1 row is" if self._repeated == 1 else f"{self._repeated:,} rows are"
        return (
            f"{rows} the same as an earlier row in every column (the first in line"
            f" {self._first_repeated}); all are kept"
        )


def _read_titles(file: SourceFile, titles: Titles) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for row in read_rows(file, (titles.episode, titles.title)):
        episode, title = row.cells
        found.setdefault(episode, []).append(title)
    # Two episodes with one script have two titles.
    return {episode: " / ".join(filter(None, names)) for episode, names in found.items()}
