import os
from pathlib import Path

from serve.models.adapter_watch import AdapterWatch


def finish(folder: Path, name: str, second: int) -> None:
    path = folder / name / "manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    os.utime(path, (second, second))


def test_an_adapter_is_found_once_when_it_is_finished_or_trained_again(tmp_path: Path) -> None:
    finish(tmp_path, "old", 1)
    watch = AdapterWatch(tmp_path)
    assert watch.find_newest() is None
    finish(tmp_path, "a", 3)
    finish(tmp_path, "b", 2)
    finish(tmp_path, ".half", 4)
    assert watch.find_newest() == "a"
    assert watch.find_newest() is None
    finish(tmp_path, "old", 5)
    assert watch.find_newest() == "old"


def test_a_folder_that_is_not_there_yet_has_none(tmp_path: Path) -> None:
    watch = AdapterWatch(tmp_path / "adapters")
    assert watch.find_newest() is None
    finish(tmp_path / "adapters", "a", 1)
    assert watch.find_newest() == "a"
