"""Names of speakers: the cast's own, those of others, and names of several people at once."""

import re
from collections.abc import Iterable

from data_prep.examples.reason import Reason
from nothing_gpt.line import collapse, is_name, to_name
from nothing_gpt.show import Show

_ASIDE = re.compile(r"\([^)]*\)")
_PARENTHESIS = re.compile("([()])")
_BRACKETED = re.compile(r"\[[^\]]*\]")
_SEPARATOR = re.compile(r" ?[&/+,] ?(?:AND )?| AND ")

# Words that stand for several people without naming them.
_SEVERAL = frozenset(
    ["ALL", "ALL THREE", "ALL FOUR", "BOTH", "BOTH OF THEM", "EVERYBODY", "EVERYONE", "GROUP",
     "OTHERS", "THE GROUP", "THE OTHERS", "TOGETHER"]
)  # fmt: skip


def remove_asides(text: str, *, nested: bool = True) -> str:
    """Remove what stands in parentheses.

    Args:
        nested: A parenthesis may hold others; if not, it ends at the first that closes.
    """
    if ")" not in text:
        return collapse(text)
    return collapse(_remove(_ASIDE, _flatten_asides(text) if nested else text, ")"))


def _flatten_asides(text: str) -> str:
    """Remove the parentheses inside of others.

    A parenthesis that is not closed is none, so what it holds is not nested in it.
    """
    if text.count("(") < 2:
        return text
    pieces = _PARENTHESIS.split(text)
    pairs: list[tuple[int, int]] = []
    opened: list[int] = []
    for place, piece in enumerate(pieces):
        if piece == "(":
            opened.append(place)
        elif piece == ")" and opened:
            pairs.append((opened.pop(), place))
    outer_end = -1
    for start, end in sorted(pairs):
        if end < outer_end:
            pieces[start] = pieces[end] = ""
        else:
            outer_end = end
    return "".join(pieces)


def _remove(pattern: re.Pattern[str], text: str, closing: str) -> str:
    # What is not closed cannot match; to try it at each opening would take quadratic time.
    end = text.rfind(closing) + 1
    return pattern.sub("", text[:end]) + text[end:]


class NameFinder:
    """Finds who speaks by the names in a show's scripts.

    Names are compared as `nothing_gpt.line.to_name` writes them. A name stands for several people
    if one of its parts, between `&`, `/`, `+`, commas or AND, is somebody who also speaks alone,
    or if it is a word such as BOTH; the show decides what becomes of it (`Corpus.groups`).

    Args:
        characters: All names in the scripts.
    """

    def __init__(self, show: Show, characters: Iterable[str]) -> None:
        self._aliases = {to_name(alias): name for alias, name in show.aliases.items()}
        self._business = frozenset(map(to_name, show.corpus.stage_business))
        self._groups = show.corpus.groups
        names = set(map(_normalise, set(characters)))
        alone = {name for name in names if is_name(name) and not _SEPARATOR.search(name)}
        self._cast = frozenset(show.names)
        self._known = (alone | self._cast | self._aliases.keys()) - _SEVERAL
        self._found: dict[str, tuple[str, ...] | Reason] = {}

    def find(self, character: str) -> tuple[str, ...] | Reason:
        """Return the names of those who speak, or why nobody of a name does."""
        found = self._found.get(character)
        if found is None:
            found = self._found[character] = self._find(_normalise(character))
        return found

    def _find(self, name: str) -> tuple[str, ...] | Reason:
        name = self._aliases.get(name, name)
        if name not in self._cast and self._groups != "keep":
            if name in _SEVERAL:
                return Reason.SEVERAL
            parts = [part for part in _SEPARATOR.split(name) if part]
            if len(parts) > 1 and not self._known.isdisjoint(parts):
                people = tuple(dict.fromkeys(self._aliases.get(part, part) for part in parts))
                split = self._groups == "split" and all(map(is_name, people))
                return people if split else Reason.SEVERAL
        if not is_name(name):
            return Reason.NOT_A_NAME
        return Reason.STAGE_BUSINESS if name in self._business else (name,)


def _normalise(character: str) -> str:
    name = remove_asides(character)
    return to_name(_remove(_BRACKETED, name, "]")) or to_name(name)
