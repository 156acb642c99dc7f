"""Everything that a source's files say: scripts and tables of any mix."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import cast, get_args

from data_prep.episode import Reading, Speech
from data_prep.sources.content import ScriptFormat, TableFormat, find_format
from data_prep.sources.screenplays import ScriptFile, read_screenplays
from data_prep.sources.source_files import SourceFile
from data_prep.sources.tables.speeches import read_table
from nothing_gpt.errors import UserError
from nothing_gpt.show import Corpus

_SHOWN = 3  # reasons in a message


def read_sources(files: Sequence[SourceFile], corpus: Corpus) -> Reading:
    """Read the speeches of files, each by the reader of its format.

    A file that cannot be read or has no speech is skipped and noted, if there are others.

    Raises:
        UserError: no file has a speech, or two files are the same episode.
    """
    titles = _find_titles(files, corpus)
    scripts: list[ScriptFile] = []
    tables: list[tuple[SourceFile, Reading]] = []
    skipped: list[str] = []
    notes: list[str] = []
    for file in files:
        if file is titles:
            continue
        try:
            found = find_format(file, corpus)
            if found in get_args(TableFormat):
                reading = read_table(file, corpus, titles, cast(TableFormat, found))
                tables.append((file, reading))
            else:
                scripts.append(ScriptFile(file, cast(ScriptFormat, found)))
            if found not in ("pdf", "parquet") and (note := file.encoding_note):
                notes.append(note)
        except UserError as error:
            skipped.append(str(error))
    screenplays, without_speech = read_screenplays(scripts, corpus)
    skipped += without_speech
    taken = {speech.episode for speech in screenplays.speeches}
    result = _join([*_separate(tables, taken), screenplays])
    if not result.speeches and (skipped or not tables):
        raise UserError("; ".join(skipped[:_SHOWN]) or "no script among the files")
    return replace(
        result, notes=(*notes, *result.notes, *(f"skipped {reason}" for reason in skipped))
    )


def _find_titles(files: Sequence[SourceFile], corpus: Corpus) -> SourceFile | None:
    if corpus.titles is None:
        return None
    name = corpus.titles.file
    return next((file for file in files if PurePosixPath(file.path).name == name), None)


def _separate(
    tables: Sequence[tuple[SourceFile, Reading]], taken: Collection[str]
) -> list[Reading]:
    """Keep the episodes of tables apart from those of the same id that are in another file.

    Each gets its table's name.

    Args:
        taken: The episodes of scripts, which stay as they are.
    """
    if len(tables) == 1 and not taken:
        return [reading for _, reading in tables]
    counts = Counter(taken)
    for _, reading in tables:
        counts.update({speech.episode for speech in reading.speeches})

    def rename(speech: Speech, path: str) -> Speech:
        if counts[speech.episode] == 1 or not speech.episode:
            return speech
        return replace(speech, episode=f"{path}-{speech.episode}")

    return [
        replace(reading, speeches=[rename(speech, file.path) for speech in reading.speeches])
        for file, reading in tables
    ]


def _join(readings: Sequence[Reading]) -> Reading:
    if len(readings) == 1:
        return readings[0]
    left_out: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for reading in readings:
        for reason, texts in reading.left_out.items():
            left_out[reason].update(texts)
    return Reading(
        [speech for reading in readings for speech in reading.speeches],
        sum(reading.settings for reading in readings),
        sum(reading.setting_rows for reading in readings),
        sum(reading.directions for reading in readings),
        dict(left_out),
        tuple(miss for reading in readings for miss in reading.near_misses),
        tuple(note for reading in readings for note in reading.notes),
    )
