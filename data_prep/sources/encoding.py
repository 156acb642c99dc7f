"""The encoding of a text file, found by its bytes."""

import codecs
from collections.abc import Iterator

from nothing_gpt.errors import UserError

_SAMPLE = 4096  # bytes that show a UTF-16
_LEGACY_SAMPLE = 1 << 16  # bytes of lines with accents that show an older encoding
_CHUNK = 1 << 20
_NO_TEXT = bytes([*range(8), *range(14, 27)])
"""Control characters that no text contains; 27 starts a change of character set in Japanese."""

_WITHOUT_MARKS = bytes(0x20 if 0x21 <= code < 0x40 else code for code in range(256))
"""A translation without ASCII's digits and most of its marks: rows of them are taken for chaos."""

_WINDOWS = "cp1252"
_LABELS = {_WINDOWS: "Windows-1252", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}


def find_encoding(name: str, data: bytes) -> str:
    """Return Python's name of an encoding: UTF-8, UTF-16, or else an older one that fits.

    Args:
        name: Of the file, in messages.

    Raises:
        UserError: the data are no text.
    """
    if encoding := _find_utf16(data):
        if _find_error(data, encoding) is not None:
            raise UserError(f"{name}: looks like UTF-16, but is damaged; save it again as UTF-8")
        return encoding
    place = _find_error(data, "utf-8")
    if place is None and not _is_binary(data):
        return "utf-8-sig"
    if place is None or _is_binary(data):
        raise UserError(f"{name}: is no text; is it the right file?")
    encoding = _find_legacy(data)
    if not encoding or _find_error(data, encoding) is not None:
        line = data.count(b"\n", 0, place) + 1
        raise UserError(
            f"{name}: line {line} is not UTF-8 (byte 0x{data[place]:02x}), nor is the file in a"
            " known older encoding; save it again as UTF-8"
        )
    return encoding


def describe_encoding(name: str, encoding: str) -> str:
    """Say in which encoding a file was read, "" if it is UTF-8."""
    if encoding == "utf-8-sig":
        return ""
    label = _LABELS.get(encoding, encoding)
    if label == "UTF-16":
        return f"{name}: read as UTF-16"
    return f"{name}: not UTF-8, read as {label}; if its accents are wrong, save it as UTF-8"


def _find_utf16(data: bytes) -> str:
    """Return which UTF-16 it is, by the byte order mark or by the zeros of ASCII; "" for none."""
    start = data[:_SAMPLE]
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if start.startswith(mark):
            return name
    zeros = [start[0::2].count(0), start[1::2].count(0)]
    if max(zeros) * 4 > len(start) and min(zeros) == 0:
        return "utf-16-be" if zeros[0] else "utf-16-le"
    return ""


def _find_error(data: bytes, encoding: str) -> int | None:
    """Return where the data stop to be text in an encoding, None if they are."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(data), _CHUNK):
        waiting = len(decoder.getstate()[0])
        end = start + _CHUNK
        try:
            decoder.decode(data[start:end], final=end >= len(data))
        except UnicodeDecodeError as error:
            return start - waiting + error.start
    return None


def _is_binary(data: bytes) -> bool:
    return len(data[:_SAMPLE].translate(None, _NO_TEXT)) < len(data[:_SAMPLE])


def _find_legacy(data: bytes) -> str:
    """Return the older encoding that fits best, "" for none."""
    from charset_normalizer import from_bytes

    sample = b"".join(_sample_lines(data)).translate(_WITHOUT_MARKS)
    # Windows-1252 first: it is by far the most frequent one of scripts, and its neighbours differ
    # from it in a few letters only.
    best = from_bytes(sample, cp_isolation=[_WINDOWS]).best()
    best = best or from_bytes(sample, cp_exclusion=["utf_16", "utf_16_be", "utf_16_le"]).best()
    return best.encoding if best else ""


def _sample_lines(data: bytes) -> Iterator[bytes]:
    """Yield the first lines that are not all ASCII."""
    size = start = 0
    while start < len(data) and size < _LEGACY_SAMPLE:
        end = data.find(b"\n", start) + 1 or len(data)
        line = data[start : min(end, start + _LEGACY_SAMPLE)]
        if not line.isascii():
            size += len(line)
            yield line
        start = end
