import os
import subprocess
import sys
from pathlib import Path

from data_prep.output import OUTPUTS
from nothing_gpt.show import SHOWS
from tests.data_prep.samples import TABLE_SHOW, table_show, write_tables


def data_prep(*options: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "data_prep", *map(str, options)],
        cwd=SHOWS.parent,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_output_goes_to_the_shows_place_in_the_workspace(tmp_path: Path) -> None:
    table_show(tmp_path)
    write_tables(tmp_path / "tables")
    options = ("--show", tmp_path / "show.toml", "--tokenizer", "none")
    workspace = tmp_path / "workspace"
    run = data_prep(*options, "--workspace", workspace)
    assert run.returncode == 0, run.stderr
    assert "The Pier: 6 episodes, 120 of 126 speeches kept" in run.stdout
    assert "45 training and 9 validation examples, format script" in run.stdout
    assert {path.name for path in (workspace / "data" / "pier").iterdir()} == OUTPUTS
    again = data_prep(*options, NOTHING_GPT_WORKSPACE=str(workspace))
    assert again.returncode == 0
    assert "nothing has changed" in again.stdout
    assert len(again.stdout.splitlines()) == 1
    fresh = data_prep(*options, "--workspace", workspace, "--fresh")
    assert "wrote" in fresh.stdout
    other = data_prep(*options, "--workspace", workspace, "--format", "single-turn")
    assert "format single-turn" in other.stdout, other.stderr
    assert {p.name for p in (workspace / "data").iterdir()} == {"pier", "pier-single-turn"}


def test_a_mistake_is_one_message_and_a_bad_exit(tmp_path: Path) -> None:
    (tmp_path / "show.toml").write_text(TABLE_SHOW.replace("stride", "strides"))
    out = tmp_path / "out"
    for options, message in [
        (("--show", "nowhere"), "no show 'nowhere'; known: "),
        (
            ("--show", tmp_path / "show.toml"),
            "windows: unknown key 'strides'; allowed keys: turns",
        ),
        (("--show", "unclaimed", "--source", tmp_path / "no"), "no such folder or file"),
        (("--show", "unclaimed", "--out", tmp_path), "holds other things (show.toml)"),
    ]:
        run = data_prep(*("--out", out), *options)
        assert run.returncode == 1
        assert run.stderr.startswith("error: ")
        assert message in run.stderr
        assert len(run.stderr.splitlines()) == 1
        assert run.stdout == ""
    assert not out.exists()
