"""The runs of a sweep, on one machine and as jobs of Modal."""

import pytest

from nothing_gpt.errors import UserError
from nothing_gpt.show import load_show
from train.config.config_file import parse_assignments
from train.config.training_config import TrainingConfig
from train.sweep import SweepRun, list_sweep_runs
from train.training_job import TrainingJob, find_presets, make_jobs


def test_every_combination_is_one_run() -> None:
    assert list_sweep_runs("pier", ["rank=16,32", "learning_rate = 1e-4, 3e-5, 1e-4"]) == [
        SweepRun("pier-rank-16-learning_rate-1e-4", ("rank=16", "learning_rate=1e-4")),
        SweepRun("pier-rank-16-learning_rate-3e-5", ("rank=16", "learning_rate=3e-5")),
        SweepRun("pier-rank-32-learning_rate-1e-4", ("rank=32", "learning_rate=1e-4")),
        SweepRun("pier-rank-32-learning_rate-3e-5", ("rank=32", "learning_rate=3e-5")),
    ]


@pytest.mark.parametrize("text", ["rank", "rank=", "=16", "rank=,"])
def test_a_sweep_without_values_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="write it as NAME=VALUE,VALUE, as in rank=16,32"):
        list_sweep_runs("pier", [text])


def jobs(
    preset: str = "", name: str = "", sweep: str = "", settings: str = ""
) -> list[TrainingJob]:

    return make_jobs(
        [load_show("unclaimed")],
        find_presets(preset),
        "some/base-1B",
        "",
        "reference",
        name=name,
        file=None,
        settings=parse_assignments(settings.split()),
        sweep=sweep.split(),
        fresh=False,
    )


def test_on_modal_each_run_is_a_job_of_one_group() -> None:
    made = jobs(sweep="rank=8,16", settings="seed=7")
    assert [job.name for job in made] == ["unclaimed-rank-8", "unclaimed-rank-16"]
    assert [(job.config.rank, job.config.seed) for job in made] == [(8, 7), (16, 7)]
    assert {job.group for job in made} == {"unclaimed-sweep"}


def test_without_a_sweep_there_is_one_job_without_a_group() -> None:
    (job,) = jobs()
    assert (job.name, job.group, job.config) == ("unclaimed", "", TrainingConfig())


def test_one_name_for_several_presets_is_refused() -> None:
    with pytest.raises(UserError, match="--name mine: this command trains several adapters"):
        jobs(preset="history", name="mine")
