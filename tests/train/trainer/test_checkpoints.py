from pathlib import Path

from train.trainer import checkpoints


def make(folder: Path, step: int, *, sealed: bool = True) -> Path:
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir()
    (checkpoint / "optimizer.pt").write_bytes(b"x" * 100)
    if sealed:
        checkpoints.seal(checkpoint)
    return checkpoint


def test_nothing_there(tmp_path: Path) -> None:
    assert checkpoints.find_latest(tmp_path) == (None, [])


def test_newest_by_number_not_by_name(tmp_path: Path) -> None:
    make(tmp_path, 90)
    newest = make(tmp_path, 100)
    assert checkpoints.find_latest(tmp_path) == (newest, [])


def test_truncated_and_unsealed_are_skipped(tmp_path: Path) -> None:
    whole = make(tmp_path, 10)
    truncated = make(tmp_path, 20)
    (truncated / "optimizer.pt").write_bytes(b"x" * 60)
    unsealed = make(tmp_path, 30, sealed=False)
    assert checkpoints.find_latest(tmp_path) == (whole, [unsealed, truncated])


def test_a_missing_file_is_noticed(tmp_path: Path) -> None:
    checkpoint = make(tmp_path, 10)
    (checkpoint / "optimizer.pt").unlink()
    assert checkpoints.find_latest(tmp_path) == (None, [checkpoint])


def test_a_damaged_seal_is_no_seal(tmp_path: Path) -> None:
    checkpoint = make(tmp_path, 10)
    (checkpoint / "sealed.json").write_text('{"optim')
    assert checkpoints.find_latest(tmp_path) == (None, [checkpoint])
