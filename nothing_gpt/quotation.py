"""Which lines stand word for word in a show's scripts, told by an index that holds no text."""

import hashlib
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nothing_gpt.errors import UserError

FILE = "quotations.bin"
"""The index beside a show's data: the sorted 8-byte hashes of its speeches, big-endian."""

MIN_WORDS = 5
"""Fewest words of a quotation; shorter ones everybody says."""

_SIZE = 8
_WORD = re.compile(r"[^\W_]+")
_SPACED = bytes(code if chr(code).isalnum() else 0x20 for code in range(256))


@dataclass(frozen=True, slots=True)
class Quotations:
    """The speeches of a show's scripts, as far as one can ask whether a line is one of them.

    Case, punctuation and white space make no difference. Of a million speeches, another line is
    taken for one of them once in 10**13 times.
    """

    hashes: "array[int]" = field(default_factory=lambda: array("Q"))

    def contains(self, text: str) -> bool:
        """Whether a line is one of the speeches, from its first word to its last."""
        found = hash_speech(text)
        if found is None:
            return False
        place = bisect_left(self.hashes, found)
        return place < len(self.hashes) and self.hashes[place] == found


def hash_speech(text: str) -> int | None:
    """Hash what a speech says; None if it is too short to be a quotation."""
    words = _words(text)
    if len(words) < MIN_WORDS:
        return None
    digest = hashlib.blake2b(b" ".join(words), digest_size=_SIZE).digest()
    return int.from_bytes(digest, "big")


def _words(text: str) -> list[bytes]:
    if text.isascii():  # the same words, four times as fast
        return text.lower().encode().translate(_SPACED).split()
    return [word.casefold().encode() for word in _WORD.findall(text)]


def index_speeches(texts: Iterable[str]) -> bytes:
    """Make the index of speeches; the same speeches in any order make the same one."""
    hashes = sorted({found for text in texts if (found := hash_speech(text)) is not None})
    return b"".join(found.to_bytes(_SIZE, "big") for found in hashes)


def read_quotations(folder: Path) -> Quotations:
    """Read the index in a show's data folder; an empty one where there is none.

    Raises:
        UserError: the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return Quotations()
    data = path.read_bytes()
    if len(data) % _SIZE:
        raise UserError(f"{path}: damaged; make it again with 'python -m data_prep'")
    places = range(0, len(data), _SIZE)
    return Quotations(array("Q", (int.from_bytes(data[i : i + _SIZE], "big") for i in places)))
