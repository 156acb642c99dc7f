"""The columns of a table: those that the show names, or else those with usual names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nothing_gpt.errors import UserError
from nothing_gpt.show import Columns, Corpus

_CHARACTER = (
    "character", "character_name", "speaker", "speaker_name", "raw_character_text", "who",
    "person", "role", "name",
)  # fmt: skip
_DIALOGUE = (
    "dialogue", "dialog", "line", "line_text", "text", "spoken_words", "speech", "words",
    "utterance", "quote", "sentence", "what",
)  # fmt: skip
_UNIQUE_EPISODE = ("seid", "episode_id", "episode_code", "movieid", "movie_id", "movie")
_EPISODE = ("episode", "episode_number", "episode_no", "episodeno", "ep", "episode_title")
_SEASON = ("season", "season_number", "season_no", "seasonno", "series")
_SETTING = ("setting", "location", "raw_location_text", "place")

_KNOWN = frozenset((*_CHARACTER, *_DIALOGUE, *_UNIQUE_EPISODE, *_EPISODE, *_SEASON, *_SETTING))
_SEPARATOR = re.compile("[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Places:
    """The indices of a table's columns.

    Attributes:
        episode: Empty if the whole table is one episode.
        season: A column of seasons that is no part of the episode; None for none.
        where: With the wanted value of each, in lower case.
    """

    character: int
    dialogue: int
    episode: tuple[int, ...]
    setting: tuple[int, ...]
    season: int | None
    where: tuple[tuple[int, str], ...]


def count_known(header: Sequence[str], corpus: Corpus) -> int:
    """Count the columns of a header that the show names or that have a usual name."""
    named = frozenset(_named(corpus))
    return sum(name in named or _normalise(name) in _KNOWN for name in header)


def is_speech_header(header: Sequence[str], corpus: Corpus) -> bool:
    """Return whether a header has a column for the speaker and one for the words."""
    columns = corpus.columns or Columns()
    names = _index(header)

    def has(given: str, usual: Sequence[str]) -> bool:
        return given in header if given else _find(names, usual) is not None

    return has(columns.character, _CHARACTER) and has(columns.dialogue, _DIALOGUE)


def find_columns(file: str, header: Sequence[str], corpus: Corpus) -> Places:
    """Find the columns of a table; messages call it `file`.

    Raises:
        UserError: a column is missing; the message names those that are there.
    """
    columns = corpus.columns or Columns()
    check_columns(file, header, _named(corpus))
    names = _index(header)
    episode = [header.index(name) for name in columns.episode_columns]
    season = _find(names, _SEASON)
    if not episode:
        unique, number = _find(names, _UNIQUE_EPISODE), _find(names, _EPISODE)
        found = [unique] if unique is not None else [season, number]
        episode = [place for place in found if place is not None]
    setting = [header.index(name) for name in columns.setting_columns]
    if not setting and (place := _find(names, _SETTING)) is not None:
        setting = [place]
    return Places(
        _require(file, header, columns.character, "speaker", _CHARACTER),
        _require(file, header, columns.dialogue, "words", _DIALOGUE),
        tuple(episode),
        tuple(setting),
        season if season not in episode else None,
        tuple((header.index(name), v.casefold().strip()) for name, v in corpus.where.items()),
    )


def check_columns(file: str, header: Sequence[str], columns: Sequence[str]) -> None:
    """Check that a table has all columns.

    Raises:
        UserError: one is missing.
    """
    missing = [name for name in dict.fromkeys(columns) if name not in header]
    if missing:
        raise UserError(
            f"{file}: no column {_quote(missing)} (it has {_quote(header) or 'none'});"
            " name the right ones in the show's [corpus.columns], [corpus.titles] or where"
        )


def _named(corpus: Corpus) -> list[str]:
    """List the columns that the show names."""
    columns = corpus.columns or Columns()
    named = (columns.character, columns.dialogue, *columns.episode_columns)
    return [*filter(None, named), *corpus.where, *columns.setting_columns]


def _index(header: Sequence[str]) -> dict[str, int]:
    """Return the index of each column by its name in one spelling."""
    names: dict[str, int] = {}
    for place, name in enumerate(header):
        names.setdefault(_normalise(name), place)
    return names


def _normalise(name: str) -> str:
    return _SEPARATOR.sub("_", name.strip().casefold()).strip("_")


def _find(names: Mapping[str, int], usual: Sequence[str]) -> int | None:
    return next((names[name] for name in usual if name in names), None)


def _require(
    file: str, header: Sequence[str], given: str, meaning: str, usual: Sequence[str]
) -> int:
    place = header.index(given) if given else _find(_index(header), usual)
    if place is None:
        raise UserError(
            f"{file}: no column for the {meaning} (it has {_quote(header) or 'none'}; usual names"
            f" are {', '.join(usual)}); name it in the show's [corpus.columns]"
        )
    return place


def _quote(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
