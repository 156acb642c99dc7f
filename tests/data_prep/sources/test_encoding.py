import pytest

from data_prep.sources.encoding import find_encoding
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile
from nothing_gpt.errors import UserError
from tests.data_prep.samples import CORPUS

RUSSIAN = "ЖАННА\nПривет, как у тебя дела?\n\n"  # noqa: RUF001
FRENCH = "ANN\nIt’s “naïve”, déjà – à Noël.\n\n"


@pytest.mark.parametrize(
    ("encoding", "text", "note"),
    [
        ("utf-8", FRENCH, ""),
        ("utf-8-sig", FRENCH, ""),
        ("utf-16", FRENCH, "a.txt: read as UTF-16"),
        ("cp1252", FRENCH, "a.txt: not UTF-8, read as Windows-1252; if its accents are wrong, "),
        ("cp1252", "Ann: caf\xe9\nBob: no\n", "a.txt: not UTF-8, read as Windows-1252"),
        ("cp1251", RUSSIAN, "a.txt: not UTF-8, read as cp1251"),
    ],
)
def test_an_encoding_is_found_and_said(encoding: str, text: str, note: str) -> None:
    file = SourceFile("a.txt", text.encode(encoding))
    assert file.text == text
    assert file.open_text().read() == text
    reading = read_sources([file], CORPUS)
    assert [said[: len(note)] for said in reading.notes] == [note] * bool(note)


def test_one_accent_after_a_long_text_is_enough() -> None:
    data = b"ANN\nOh.\n\n" * 300_000 + "ÉMILE\nOui.\n".encode("cp1252")
    assert find_encoding("a.txt", data) == "cp1252"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is no text"),
        (b"\xff\xfeA\x00\x00\xd8A\x00", "looks like UTF-16, but is damaged"),
        (b"a\nb\n" + bytes(range(128, 256)), r"line 3 is not UTF-8 \(byte 0x80\)"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=f"a.txt: {message}"):
        find_encoding("a.txt", data)
