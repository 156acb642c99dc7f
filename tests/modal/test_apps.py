"""What modal would create, read from what its real client asks for, and from `info()`."""

import subprocess
import sys
from typing import Any

import pytest

from deployment.requirements import read_requirements
from nothing_gpt.hardware.gpus import GPUS
from tests.modal.conftest import ROOT, Command
from tests.modal.control_plane import ControlPlane
from tests.modal.table import STAGES, render_table

SHARED = {"data_prep": {"script_formats"}, "demo": {"script_formats"}}
MAIN = {
    "data_prep": "prepare",
    "train": "finetune",
    "serve": "Endpoint.*",
    "demo": "room",
    "evaluation": "score",
}
COMPARING = {"examine_votes", "tune_adapter"}
"""The functions whose container also compares scenes, as the stage `evaluation` does."""


def deployed(plane: ControlPlane, modal: Command, stage: str, **variables: str) -> dict[str, Any]:
    done = modal("deploy", "-m", stage, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return plane.functions()


@pytest.mark.parametrize("stage", STAGES)
def test_the_package_hands_out_its_app_and_imports_no_modal(stage: str) -> None:
    code = (
        f"import sys, {stage}\n"
        "assert 'modal' not in sys.modules\n"
        f"assert {stage}.app.name == 'nothing-gpt-{stage.replace('_', '-')}'\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("stage", STAGES)
def test_every_app_shares_one_volume_and_ships_its_own_code(
    plane: ControlPlane, modal: Command, stage: str
) -> None:
    for name, function in deployed(plane, modal, stage).items():
        (mount,) = function.volume_mounts
        assert (mount.volume_id, mount.mount_path) == ("vo-nothing-gpt", "/volume")
        packages = {name.split("/")[2] for name in plane.files(function) if "/" in name[6:]}
        more = {"evaluation"} if name in COMPARING else SHARED.get(stage, set())
        assert packages == {"nothing_gpt", "deployment", stage} | more
        assert not [name for name in plane.files(function) if "shows" in name or "pyc" in name]
    (request,) = {r.version: r for r in plane.asked("VolumeGetOrCreate")}.values()
    assert request.version == 2


@pytest.mark.parametrize("stage", STAGES)
def test_images_hold_the_pins_of_their_group_and_no_others(
    plane: ControlPlane, modal: Command, stage: str
) -> None:
    group = "vllm" if stage == "serve" else stage
    lines = plane.image(deployed(plane, modal, stage)[MAIN[stage]].image_id)
    (pip,) = [line for line in lines if "pip install" in line and "==" in line]
    pins = {word for word in pip.split() if "==" in word}
    assert pins == set(read_requirements(group))
    assert any("torch" in pin for pin in pins) == (stage == "train")
    # Code comes last: a change of it builds nothing again.
    assert not any("COPY" in line for line in lines[lines.index(pip) :])


def test_preparing_takes_no_gpu(plane: ControlPlane, modal: Command) -> None:
    (function,) = deployed(plane, modal, "data_prep").values()
    assert function.resources.gpu_config.count == 0
    assert list(function.secret_ids) == []


def test_training_survives_preemption(plane: ControlPlane, modal: Command) -> None:
    functions = deployed(plane, modal, "train")
    function, examine = functions["finetune"], functions["examine"]
    assert function.resources.gpu_config.gpu_type == "L4"
    assert function.timeout_secs == 24 * 60 * 60
    assert (function.retry_policy.retries, function.retry_policy.initial_delay_ms) == (10, 0)
    assert function.single_use_containers
    assert examine.resources.gpu_config.count == 0


def test_the_endpoint_scales_to_zero_and_is_closed(plane: ControlPlane, modal: Command) -> None:
    function = deployed(plane, modal, "serve")["Endpoint.*"]
    assert function.resources.gpu_config.gpu_type == "L4"
    assert function.max_concurrent_inputs == 64
    scaling = function.autoscaler_settings
    assert (scaling.min_containers, scaling.max_containers) == (0, 1)
    assert scaling.scaledown_window == 300
    assert function.startup_timeout_secs == 900
    assert function.method_definitions["web"].webhook_config.web_server_port == 8000
    assert function.method_definitions["web"].webhook_config.web_server_startup_timeout == 900
    assert "st-nothing-gpt-api-key" in function.secret_ids
    assert not function.checkpointing_enabled


def test_without_a_key_the_endpoint_is_not_deployed(plane: ControlPlane, modal: Command) -> None:
    plane.secrets["nothing-gpt-api-key"] = {"OTHER"}
    done = modal("deploy", "-m", "serve")
    assert done.returncode != 0
    assert "NOTHING_GPT_API_KEY" in done.stdout + done.stderr
    del plane.secrets["nothing-gpt-api-key"]
    done = modal("deploy", "-m", "serve")
    assert done.returncode != 0
    assert "'nothing-gpt-api-key' not found" in done.stdout + done.stderr
    assert not plane.asked("AppPublish")


def test_a_room_without_its_login_is_refused(plane: ControlPlane, modal: Command) -> None:
    del plane.secrets["nothing-gpt-room-login"]
    done = modal("deploy", "-m", "demo")
    assert done.returncode != 0
    assert "'nothing-gpt-room-login' not found" in done.stdout + done.stderr
    assert not plane.asked("AppPublish")
    assert modal("deploy", "-m", "demo", NOTHING_GPT_OPEN="1").returncode == 0


def test_an_open_endpoint_has_to_be_asked_for(plane: ControlPlane, modal: Command) -> None:
    del plane.secrets["nothing-gpt-api-key"]
    functions = deployed(plane, modal, "serve", NOTHING_GPT_OPEN="1", NOTHING_GPT_SNAPSHOT="1")
    (request,) = {str(r.env_dict): r for r in plane.asked("SecretGetOrCreate")}.values()
    assert request.env_dict["NOTHING_GPT_OPEN"] == "1"
    assert functions["Endpoint.*"].checkpointing_enabled
    assert functions["Endpoint.*"].experimental_options["enable_gpu_snapshot"] == "True"


def test_a_gpu_that_does_not_exist(modal: Command, plane: ControlPlane) -> None:
    done = modal("deploy", "-m", "serve", NOTHING_GPT_GPU="Q7")
    assert done.returncode == 1
    assert f"no GPU 'Q7'; there are: {', '.join(GPUS)}" in done.stderr
    assert not plane.requests


def test_info_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTHING_GPT_OPEN", raising=False)
    from data_prep.modal_app import prepare
    from demo.modal_app import room
    from train.modal_app import examine, finetune

    assert prepare.info().gpus == examine.info().gpus == room.info().gpus == []
    training = finetune.info()
    assert training.gpus == [("L4", 1)]
    assert (training.timeout, training.max_retries) == (86400, 10)
    assert training.single_use_containers
    assert training.volumes["/volume"].name == "nothing-gpt"
    assert finetune.with_options(gpu="A10").info().gpus == [("A10", 1)]
    assert finetune.with_options(gpu="L4:4").info().gpus == [("L4", 4)]
    concurrency = room.info().concurrency_info
    assert concurrency
    assert concurrency.max_inputs == 100


def test_the_documentation_shows_what_modal_would_create(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTHING_GPT_OPEN", raising=False)
    assert render_table() in (ROOT / "docs" / "modal.md").read_text()
