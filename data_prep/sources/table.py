"""Speeches from a table, one a row: a CSV file with the columns that the show names."""

import csv
import io
from collections.abc import Iterator, Sequence

from data_prep.episode import Reading, Speech
from data_prep.sources.source_files import SourceFile
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse
from nothing_gpt.show import Columns, Corpus, Titles


def read_table(files: Sequence[SourceFile], corpus: Corpus) -> Reading:
    """Read the speeches of a table.

    An episode's title is its premise. A row that begins with one of the show's setting markers
    is the setting of the rows after it, up to the next such row or the end of the episode.

    Args:
        files: The table and, optionally, the table of titles.
        corpus: The show's; it names the columns.

    Raises:
        UserError: a file is not UTF-8, not CSV, or lacks a column that the show names.
    """
    assert corpus.columns is not None  # noqa: S101 - Show has checked it
    titles: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    if corpus.titles is not None:
        if len(files) > 1:
            titles = _read_titles(files[1], corpus.titles)
        else:
            notes = (f"no episode titles: {corpus.titles.file} is not beside {files[0].name}",)
    speeches, settings = _read_speeches(files[0], corpus.columns, corpus.setting_markers, titles)
    return Reading(speeches, settings, notes)


def _read_speeches(
    file: SourceFile, columns: Columns, markers: Sequence[str], titles: dict[str, str]
) -> tuple[list[Speech], int]:
    upper_markers = tuple(marker.upper() for marker in markers)
    speeches: list[Speech] = []
    settings = 0
    current_episode, setting = "", ""
    for character, dialogue, episode in _read_rows(
        file, (columns.character, columns.dialogue, columns.episode)
    ):
        if episode != current_episode:
            current_episode, setting = episode, ""
        if upper_markers and character.upper().startswith(upper_markers):
            marker = next(m for m in upper_markers if character.upper().startswith(m))
            setting = collapse(f"{character[len(marker) :]} {dialogue}").strip("[]:. ")
            settings += 1
        else:
            title = titles.get(episode, "")
            speeches.append(Speech(episode, character, dialogue, title, setting))
    return speeches, settings


def _read_titles(file: SourceFile, titles: Titles) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for episode, title in _read_rows(file, (titles.episode, titles.title)):
        found.setdefault(episode, []).append(title)
    # Two episodes with one script have two titles.
    return {episode: " / ".join(filter(None, names)) for episode, names in found.items()}


def _read_rows(file: SourceFile, columns: Sequence[str]) -> Iterator[list[str]]:
    """Yield the cells of these columns of each row, stripped; a missing cell is empty."""
    reader = csv.reader(io.StringIO(file.text, newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in columns if name not in header]
        if missing:
            raise UserError(
                f"{file.name}: no column {_quote(missing)} (it has {_quote(header) or 'none'});"
                " name the right ones in the show's [corpus.columns] or [corpus.titles]"
            )
        indices = [header.index(name) for name in columns]
        for row in reader:
            if row:
                yield [row[index].strip() if index < len(row) else "" for index in indices]
    except csv.Error as error:
        raise UserError(
            f"{file.name}: line {reader.line_num} is not CSV ({error}); is a quote left open?"
        ) from None


def _quote(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
