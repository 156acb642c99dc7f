"""Tuning by votes on one of Modal's GPUs: the part of the training's app that --preferences runs.

The votes are sent with the call. The container has the code and packages of `evaluation` too,
which compares the scenes of both adapters.
"""

import modal

from deployment.facts import MOUNT, TRAIN
from deployment.images import add_code, add_folder, build_image
from deployment.outcome import Outcome, attempt
from deployment.storage import open_volume
from nothing_gpt.errors import UserError
from train.artifacts.provenance import VARIABLE, git_revision
from train.preferences.preference_job import PreferenceJob
from train.training_job import DEFAULT_GPU

app = modal.App(TRAIN, include_source=False)
volume = open_volume()
image = add_folder(add_code(build_image("train", "evaluation"), "evaluation"), "train")


@app.function(image=image, volumes={MOUNT: volume}, cpu=1, memory=2048, timeout=10 * 60)
def examine_votes(job: PreferenceJob) -> Outcome:
    """Check on a CPU whether the votes can be learned from, and whether that is done."""
    from train.preferences.tuning import is_tuned, prepare_votes

    try:
        run = job.resolve()
        prepared = prepare_votes(run)
    except UserError as error:
        return Outcome(job.name, str(error), failed=True)
    if not job.fresh and is_tuned(run, prepared):
        return Outcome(job.name, f"up to date: {run.workspace.adapter(run.name)}", idle=True)
    return Outcome(job.name, f"'{run.source}' by {prepared}, on {job.gpu}")


@app.function(
    image=image,
    gpu=DEFAULT_GPU,
    volumes={MOUNT: volume},
    env={VARIABLE: git_revision()},
    cpu=2,
    memory=16 * 1024,
    timeout=24 * 60 * 60,
    # A preempted tuning continues from its last checkpoint, in a new container.
    retries=modal.Retries(max_retries=10, initial_delay=0.0, backoff_coefficient=1.0),
    single_use_containers=True,
)
def tune_adapter(job: PreferenceJob) -> Outcome:
    """Tune an adapter on the volume, or continue an interrupted tuning."""
    from train.library_settings import prepare_libraries
    from train.preferences.tuning import tune

    prepare_libraries()
    return attempt(job.name, lambda: f"adapter {tune(job.resolve(publish=volume.commit))}")
