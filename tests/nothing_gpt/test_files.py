import errno
import json
from pathlib import Path

import pytest

from nothing_gpt.errors import UserError
from nothing_gpt.files import (
    atomic_folder,
    fingerprint,
    locked_folder,
    read_json,
    write_json,
    write_lines,
    write_text,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_half(target: Path, error: Exception) -> None:
    with atomic_folder(target) as folder:
        write_text(folder / "file", "half")
        raise error


def test_a_folder_takes_the_old_ones_place_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    for name in ("first", "second"):
        with atomic_folder(target) as folder:
            write_text(folder / name, name)
            assert not (target / name).exists()
    assert names(target) == ["second"]
    assert names(target.parent) == ["out"]


def test_a_failure_leaves_the_old_folder_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with atomic_folder(target) as folder:
        write_text(folder / "file", "old")
    with pytest.raises(RuntimeError, match="halfway"):
        write_half(target, RuntimeError("halfway"))
    assert (target / "file").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_a_full_disk_is_a_persons_business_and_leaves_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(UserError, match=r"out: cannot be written \(No space"):
        write_half(target, OSError(errno.ENOSPC, "No space left on device"))
    assert names(tmp_path) == []


def test_other_errors_of_the_system_are_not_explained_away(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_folder(tmp_path / "out"):
        (tmp_path / "nothing").read_text()


@pytest.mark.parametrize("below", ["out", "deep/out"])
def test_a_place_that_cannot_be_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("here")
    target = tmp_path / "file" / below
    with pytest.raises(UserError, match="cannot be written"), atomic_folder(target):
        pass
    with pytest.raises(UserError, match="cannot be written"):
        write_text(target, "text")
    assert (tmp_path / "file").read_text() == "here"


def test_texts_are_utf_8_with_plain_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "text", "é\n")
    assert (tmp_path / "a" / "text").read_bytes() == b"\xc3\xa9\n"
    assert write_lines(tmp_path / "lines", [b"one", "é".encode()]) == 2
    assert (tmp_path / "lines").read_bytes() == b"one\n\xc3\xa9\n"
    assert names(tmp_path) == ["a", "lines"]


def test_json_comes_back_or_says_why_not(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    with pytest.raises(UserError, match=r"data\.json: cannot be read"):
        read_json(path)
    write_json(path, {"b": [1, None], "a": "é"})
    assert read_json(path) == {"b": [1, None], "a": "é"}
    assert list(json.loads(path.read_text(encoding="utf-8"))) == ["b", "a"]
    path.write_text('{"b":')
    with pytest.raises(UserError, match=r"data\.json: not valid JSON"):
        read_json(path)


def test_a_fingerprint_tells_values_names_and_contents_apart(tmp_path: Path) -> None:
    for name, text in {"a": "1", "b": "2", "c": "1"}.items():
        (tmp_path / name).write_text(text)
    a, b, c = (tmp_path / name for name in "abc")
    prints = [
        fingerprint(),
        fingerprint({"x": 1}),
        fingerprint({"x": 2}),
        fingerprint({"x": 1}, [a]),
        fingerprint({"x": 1}, [c]),
        fingerprint({"x": 1}, [a, b]),
        fingerprint({"x": 1}, [b, a]),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint({"x": 1, "y": 2}, [a]) == fingerprint({"y": 2, "x": 1}, [a])


def test_what_is_written_is_private_to_its_owner(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "workspace" / "adapters" / "show"):
        pass
    write_text(tmp_path / "workspace" / "data" / "train.jsonl", "{}")
    with locked_folder(tmp_path / "workspace" / "checkpoints", "in use"):
        pass
    paths = [path for path in (tmp_path / "workspace").rglob("*") if path.name != "workspace"]
    assert len(paths) == 5
    for path in (tmp_path / "workspace", *paths):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
