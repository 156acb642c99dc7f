"""Quotations: whether a line is in a show's scripts, by an index of hashes without any text."""

import hashlib
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from nothing_gpt.errors import UserError

FILE = "quotations.bin"
"""The index in a show's data folder: the sorted 8-byte hashes of its speeches, big-endian."""

MIN_WORDS = 5
"""Minimum of words in a quotation; shorter speeches are everyday phrases."""

_HASH_BYTES = 8
_WORD = re.compile(r"[^\W_]+")
_SEPARATORS_TO_SPACES = bytes(code if chr(code).isalnum() else 0x20 for code in range(256))
_SEPARATORS_WITHIN_LINES = bytes(
    code if code == 0x0A else _SEPARATORS_TO_SPACES[code] for code in range(256)
)
_BATCH = 1000  # texts that are changed at once


@dataclass(frozen=True, slots=True)
class Quotations:
    """The index of a show's speeches.

    Case, punctuation and white space make no difference. With a million speeches, the probability
    that another line has the hash of one of them is 5e-14.
    """

    hashes: "array[int]" = field(default_factory=lambda: array("Q"))

    def contains(self, text: str) -> bool:
        """Return whether a line is, as a whole, one of the speeches."""
        wanted = hash_speech(text)
        if wanted is None:
            return False
        index = bisect_left(self.hashes, wanted)
        return index < len(self.hashes) and self.hashes[index] == wanted


def hash_speech(text: str) -> int | None:
    """Hash the words of a speech; return None if they are too few for a quotation."""
    digest = _digest_speech(text)
    return int.from_bytes(digest, "big") if digest else None


def _digest_speech(text: str) -> bytes:
    """Return the hash as the index stores it; b"" if the words are too few."""
    words = _split_words(text)
    if len(words) < MIN_WORDS:
        return b""
    return hashlib.blake2b(b" ".join(words), digest_size=_HASH_BYTES).digest()


def _split_words(text: str) -> list[bytes]:
    if text.isascii():  # the same words, four times as fast
        return text.lower().encode().translate(_SEPARATORS_TO_SPACES).split()
    return [word.casefold().encode() for word in _WORD.findall(text)]


def index_speeches(texts: Iterable[str]) -> bytes:
    """Build the index of speeches; their order makes no difference."""
    # By the first byte: to sort a million hashes at once takes twice the time and 100 MB.
    parts = [bytearray() for _ in range(256)]
    waiting = iter(texts)
    while batch := list(islice(waiting, _BATCH)):
        plain = [text for text in batch if text.isascii() and "\n" not in text]
        others = set(batch).difference(plain) if len(plain) < len(batch) else ()
        others_digests = filter(None, map(_digest_speech, others))
        for digest in chain(_digest_lines("\n".join(plain)), others_digests):
            parts[digest[0]] += digest
    return b"".join(map(_sort_digests, parts))


def _sort_digests(digests: bytearray) -> bytes:
    starts = range(0, len(digests), _HASH_BYTES)
    return b"".join(sorted({bytes(digests[start : start + _HASH_BYTES]) for start in starts}))


def _digest_lines(text: str) -> Iterator[bytes]:
    """Hash the lines of an ASCII text, whose words are found in all lines at once."""
    words = text.lower().encode().translate(_SEPARATORS_WITHIN_LINES)
    while b"  " in words:
        words = words.replace(b"  ", b" ")
    for line in words.split(b"\n"):
        spoken = line.strip(b" ")
        if spoken.count(b" ") >= MIN_WORDS - 1:
            yield hashlib.blake2b(spoken, digest_size=_HASH_BYTES).digest()


def read_quotations(folder: Path) -> Quotations:
    """Read the index in a show's data folder; without one, return an empty index.

    Raises:
        UserError: the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return Quotations()
    data = path.read_bytes()
    if len(data) % _HASH_BYTES:
        raise UserError(f"{path}: damaged; make it again with 'python -m data_prep'")
    starts = range(0, len(data), _HASH_BYTES)
    hashes = (int.from_bytes(data[i : i + _HASH_BYTES], "big") for i in starts)
    return Quotations(array("Q", hashes))
