"""A training of the controller: stopped, gone on with, and outliving a killed controller."""

import shutil
from pathlib import Path

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.show import load_show
from tests.new_show import RunningController, wait_for, write_scripts

RIGHTS = "Mine; I wrote them."


def test_it_is_stopped_goes_on_survives_the_controller_and_ends(
    controller: RunningController, pocket_base: Path
) -> None:
    place = controller.workspace
    shutil.copytree(pocket_base, place.root / "bases" / pocket_base.name)
    controller.send(write_scripts())
    controller.wait_for_state("read")
    assert controller.do("train", rights=" ").status_code == 400
    assert controller.do("train", rights=RIGHTS).json()["state"] == "training"
    for action, fields in (("train", {"rights": RIGHTS}), ("begin", {}), ("forget", {})):
        refused = controller.do(action, **fields)
        assert refused.status_code == 409
        assert refused.json()["error"].startswith("a training is running; one at a time")
    wait_for_step(controller)
    assert controller.do("stop").json()["stopping"]
    assert controller.wait_for_state("stopped", "trained")["state"] == "stopped"
    assert list(place.checkpoints("the_pier").glob("checkpoint-*/sealed.json"))

    assert controller.do("train", rights=RIGHTS).status_code == 200
    wait_for_step(controller)
    controller.process.kill()
    controller.process.wait()
    controller.start()
    job = controller.wait_for_state("trained", "stopped", "failed")
    assert job["state"] == "trained", job["message"]
    output = (place.new_show / "task" / "output.log").read_text()
    assert output.count("continuing from checkpoint-") == 1  # the kill has ended no training
    manifest = read_manifest(place.adapter("the_pier"))
    assert job["adapter"]["inputs"] == manifest.inputs
    assert job["progress"]["done"] == job["progress"]["steps"]
    assert job["held_out"]
    assert load_show(str(place.draft("the_pier"))).corpus.licence == RIGHTS

    controller.send(write_scripts(20))
    assert controller.wait_for_state("read", "failed")["name"] == "the_pier_2"
    controller.do("forget")
    assert [path.name for path in place.adapters.iterdir()] == ["the_pier"]
    assert [path.name for path in (place.root / "shows").iterdir()] == ["the_pier.toml"]
    assert [path.name for path in (place.root / "sources").iterdir()] == ["the_pier"]


def wait_for_step(controller: RunningController) -> None:
    """Wait until the training has done a step."""

    def has_step() -> bool:
        job = controller.job()
        assert job["state"] == "training", job["message"]
        progress = job["progress"]
        return bool(progress) and progress["done"] > 0

    wait_for(has_step)
