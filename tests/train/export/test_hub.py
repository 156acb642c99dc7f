"""Uploads: only when asked, private, and with one message if the hub refuses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nothing_gpt.errors import UserError
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace
from tests.train.export.fake_hub import TOKEN, running_hub
from train.export.hub import read_target


@pytest.mark.parametrize("target", ["me/scenes", "hub:scenes", "hub:me/", "hub:a/b/c", "hub:../x"])
def test_a_target_is_a_hub_with_an_owner(target: str) -> None:
    with pytest.raises(UserError, match="write hub:OWNER/NAME"):
        read_target(target)


def _export(
    workspace: Workspace, show: Show, hub: str, token: str
) -> subprocess.CompletedProcess[str]:
    options = ["--show", show.name, "--to", "merged", "--workspace", str(workspace.root)]
    return subprocess.run(
        [sys.executable, "-m", "train.export", *options, "--push", "hub:me/scenes"],
        env=os.environ | {"HF_ENDPOINT": hub, "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "1"},
        capture_output=True,
        text=True,
    )


def test_an_export_is_uploaded_whole_to_a_private_repository(
    merged: Path, trained: Workspace, show: Show
) -> None:
    with running_hub() as hub:
        done = _export(trained, show, hub.address, TOKEN)
    assert done.returncode == 0, done.stderr
    assert f"uploaded to {hub.address}/me/scenes" in done.stdout
    assert hub.created[0]["visibility"] == "private"
    assert hub.files == {path.name: path.read_bytes() for path in merged.iterdir()}
    assert str(trained.root).encode() not in b"".join(hub.files.values())


def test_a_token_that_may_not_write_gives_one_message(
    merged: Path, trained: Workspace, show: Show
) -> None:
    assert merged.is_dir()
    with running_hub() as hub:
        done = _export(trained, show, hub.address, "hf_bad")
    assert done.returncode == 1
    assert "refused me/scenes (401)" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hf_bad" not in done.stderr


def test_a_hub_out_of_reach_gives_one_message(
    merged: Path, trained: Workspace, show: Show
) -> None:
    assert merged.is_dir()
    done = _export(trained, show, "http://127.0.0.1:9", TOKEN)
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
