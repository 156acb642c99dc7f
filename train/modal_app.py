"""QLoRA of one show or many, on Modal's GPUs.

modal run --detach -m train --show seinfeld
modal run --detach -m train --show all --gpu A10
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import modal
import modal.exception

from nothing_gpt import deployment
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.outcome import Outcome, attempt, report
from nothing_gpt.show import Show, load_show, show_names
from nothing_gpt.workspace import Workspace
from train import pocket
from train.base import REFERENCE_BASE
from train.config import POCKET, REFERENCE, TrainingConfig, list_warnings
from train.provenance import VARIABLE, git_revision

app = modal.App(deployment.TRAIN, include_source=False)
volume = modal.Volume.from_name(
    deployment.VOLUME, create_if_missing=True, version=deployment.VOLUME_VERSION
)
image = (
    modal.Image.debian_slim(python_version=deployment.PYTHON)
    .add_local_file(*deployment.CONSTRAINTS, copy=True)
    .pip_install(
        *deployment.read_requirements("train"),
        extra_options=deployment.PIP_OPTIONS,
    )
    .env(deployment.environment())
    .add_local_file(*deployment.PROJECT)
    .add_local_python_source("nothing_gpt", "train")
)


@app.function(
    image=image,
    volumes={deployment.MOUNT: volume},
    cpu=1,
    memory=2048,
    timeout=10 * 60,
    max_containers=16,
)
def examine(show: Show, base: str, config: TrainingConfig, gpu: str) -> Outcome:
    """Find out on a CPU whether a run can succeed, and what it will take."""
    from train.access import check_base, check_tracking
    from train.dataset import read_examples
    from train.plan import make_plan

    def job() -> str:
        place = Workspace.default()
        if not place.data(show.name).is_dir():
            raise UserError(
                f"not prepared on the volume '{deployment.VOLUME}'; run"
                f" 'modal run -m data_prep --show {show.name}' first"
            )
        training, held_out = read_examples(place.data(show.name))
        plan = make_plan(base, config, deployment.find_gpu(gpu), training, held_out)
        if base != pocket.NAME:
            check_base(place.find_base(base), deployment.HUGGING_FACE.command)
        check_tracking(deployment.WANDB.command)
        return str(plan)

    return attempt(show.name, job)


@app.function(
    image=image,
    gpu="L4",
    volumes={deployment.MOUNT: volume},
    env={VARIABLE: git_revision()},
    cpu=2,
    memory=16 * 1024,
    timeout=24 * 60 * 60,
    # A preempted or crashed run goes on from its last checkpoint, in a container of its own.
    retries=modal.Retries(max_retries=10, initial_delay=0.0, backoff_coefficient=1.0),
    single_use_containers=True,
)
def finetune(show: Show, base: str, config: TrainingConfig) -> Outcome:
    """Train an adapter on the volume, or go on with what was interrupted."""
    from train.finetuning import Run
    from train.finetuning import finetune as train_adapter

    def job() -> str:
        run = Run(show, base, config, Workspace.default(), published=volume.commit)
        return f"adapter {train_adapter(run)}"

    return attempt(show.name, job)


@app.local_entrypoint()
def main(
    show: str,
    base: str = REFERENCE_BASE,
    gpu: str = "L4",
    seed: int = -1,
    fresh: bool = False,  # noqa: FBT001 - modal makes the command line of it
    token: bool = True,  # noqa: FBT001
    wandb: bool = False,  # noqa: FBT001
) -> None:
    """Look at every run on a CPU, print its plan, and train each in a container of its own.

    Args:
        show: A show's name, its TOML file, or `all`.
        base: A hub id, or `pocket`.
        gpu: Modal's name of the GPU.
        seed: Seed of data order and dropout; by default the configuration's.
        fresh: Delete the show's adapter and checkpoints first.
        token: Ask the hub with the token in the secret `huggingface`.
        wandb: Report to Weights & Biases with the key in the secret `wandb`.
    """
    with reported_errors():
        config = POCKET if base == pocket.NAME else REFERENCE
        if seed >= 0:
            config = replace(config, seed=seed)
        for warning in list_warnings(config):
            print(f"warning: {warning}")
        shows = [load_show(name) for name in (show_names() if show == "all" else [show])]
        named = [deployment.HUGGING_FACE] * (token and base != pocket.NAME)
        named += [deployment.WANDB] * wandb
        secrets = [modal.Secret.from_name(c.name, required_keys=[c.key]) for c in named]
        train_all([(each, base, config) for each in shows], gpu, secrets, fresh=fresh)


Job = tuple[Show, str, TrainingConfig]
"""What one container trains; a preset is a list of these."""


def train_all(
    jobs: list[Job],
    gpu: str,
    secrets: Sequence[modal.Secret] = (),
    *,
    fresh: bool = False,
) -> None:
    """Train those jobs that can succeed, side by side.

    Raises:
        UserError: some cannot, or failed; the others are trained all the same.
    """
    kind = deployment.find_gpu(gpu).name
    examiner = examine.with_options(secrets=secrets) if secrets else examine
    looked = _run_each(examiner, jobs, kind)
    good = [job for job, outcome in zip(jobs, looked, strict=True) if not outcome.failed]
    if not good:
        report(looked)
    for outcome in looked:
        print(f"{outcome.name}: {'cannot run' if outcome.failed else 'plan'}: {outcome.text}")
    if fresh:
        for show, *_ in good:
            forget(show)
    trained = iter(_run_each(finetune.with_options(gpu=kind, secrets=secrets), good))
    report(outcome if outcome.failed else next(trained) for outcome in looked)


def forget(show: Show) -> None:
    """Delete a show's adapter and checkpoints; done here, as a container may start again."""
    place = Workspace(Path("/"))
    for folder in (place.adapter(show.name), place.checkpoints(show.name)):
        with suppress(FileNotFoundError, modal.exception.NotFoundError):
            volume.remove_file(str(folder), recursive=True)
            print(f"deleted from the volume: {folder}")


def _run_each(function: Any, jobs: list[Job], *more: str) -> list[Outcome]:
    """Give every job a container, and wait for all.

    Spawned, not mapped: Modal itself then starts a job again, also when this terminal has gone.
    """
    try:
        calls = [function.spawn(*job, *more) for job in jobs]
    except modal.exception.NotFoundError as error:  # a secret; nothing has been started
        commands = (deployment.HUGGING_FACE.command, deployment.WANDB.command)
        raise UserError(f"{error}; a secret is made with: {' or '.join(commands)}") from None
    return [_await(job[0].name, call) for job, call in zip(jobs, calls, strict=True)]


def _await(name: str, call: "modal.FunctionCall[Outcome]") -> Outcome:
    try:
        return call.get()
    except Exception as error:  # noqa: BLE001 - the other jobs go on, and this is reported
        return Outcome.of_crash(name, error)
