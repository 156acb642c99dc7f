import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nothing_gpt.controller import uploads
from nothing_gpt.controller.uploads import Chunk, Uploads
from nothing_gpt.errors import UserError


def chunk(name: str, text: str, offset: int = 0) -> Chunk:
    return Chunk(name, offset, base64.b64encode(text.encode()).decode())


def test_parts_of_a_file_are_joined_and_sent_again_without_harm(tmp_path: Path) -> None:
    files = Uploads(tmp_path)
    files.add(chunk("a.txt", "one "))
    files.add(chunk("a.txt", "two", 4))
    files.add(chunk("a.txt", "two", 4))  # its answer was lost
    assert (tmp_path / "a.txt").read_text() == "one two"
    with pytest.raises(UserError, match=r"a\.txt: a part of it is missing"):
        files.add(chunk("a.txt", "four", 12))
    files.add(chunk("a.txt", "anew"))
    assert (tmp_path / "a.txt").read_text() == "anew"


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("Season 1/Pilot.TXT", "Season 1 - Pilot.txt"),
        ("../../etc/passwd", "etc - passwd"),
        ("/root/.ssh/id", "root - ssh - id"),
        ("C:\\scripts\\é.fountain", "C - scripts - é.fountain"),
        ("--out=x", "out=x"),
        (".hidden", "hidden"),
        ("..", "script"),
        ("\ud800\x00", "script"),
        ("<img onerror=x>.txt", "img onerror=x.txt"),
    ],
)
def test_names_become_harmless(tmp_path: Path, name: str, stored: str) -> None:
    files = Uploads(tmp_path)
    files.add(chunk(name, "x"))
    assert files.names == {stored: name}
    assert (tmp_path / stored).read_text() == "x"


@given(st.text())
def test_a_name_never_leads_out_of_the_folder(name: str) -> None:
    stored = uploads._make_safe(name)
    assert stored not in ("", ".", "..")
    assert "/" not in stored
    assert not stored.startswith((".", "-"))
    assert len(stored.encode()) <= 255


def test_what_cannot_be_stored_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"a\.txt: cannot be stored \(Not a directory\)"):
        Uploads(tmp_path / "file" / "folder").add(chunk("a.txt", "x"))


def test_two_files_of_one_name_are_refused_by_both_names(tmp_path: Path) -> None:
    files = Uploads(tmp_path)
    files.add(chunk("1/pilot.txt", "x"))
    with pytest.raises(UserError, match=r"1 - pilot\.txt and 1/pilot\.txt would have one name"):
        files.add(chunk("1 - pilot.txt", "y"))


def test_they_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES", 4 << 20)
    monkeypatch.setattr(uploads, "MAX_FILES", 2)
    files = Uploads(tmp_path)
    files.add(chunk("a", "x" * (3 << 20)))
    with pytest.raises(UserError, match="more than 4 MiB of scripts"):
        files.add(chunk("b", "x" * (2 << 20)))
    files.add(chunk("b", "x"))
    with pytest.raises(UserError, match="more than 2 files"):
        files.add(chunk("c", "x"))
    with pytest.raises(UserError, match="b: arrived damaged"):
        files.add(Chunk("b", 0, "no base64"))
