"""QLoRA of one show or many, on Modal's GPUs.

modal run --detach -m train --show seinfeld
modal run --detach -m train --show seinfeld --gpu L4:4          # four in one container
modal run -m train --show seinfeld --preset history             # six runs, side by side
modal run -m train --show seinfeld --preferences votes.jsonl    # tune an adapter by votes
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import modal
import modal.exception

from deployment.credentials import HUGGING_FACE, WANDB
from deployment.facts import MOUNT, TRAIN, VOLUME
from deployment.images import add_code, add_folder, build_image
from deployment.outcome import Outcome, attempt, report
from deployment.storage import open_volume
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.hardware.gpus import find_gpus
from nothing_gpt.show import load_show, show_names
from nothing_gpt.workspace import Workspace
from train.artifacts.provenance import VARIABLE, git_revision
from train.config.base_names import POCKET_BASE, REFERENCE_BASE
from train.config.config_file import parse_assignments, read_config_file
from train.preferences.modal_app import app as preferences_app
from train.preferences.modal_app import examine_votes, tune_adapter
from train.preferences.preference_job import PreferenceJob, make_preference_job
from train.preferences.preference_run import check_options
from train.sweep import GROUP_VARIABLE, compare_runs
from train.trainer.process_group import launch
from train.training_job import (
    DEFAULT_GPU,
    TrainingJob,
    find_presets,
    list_job_warnings,
    make_jobs,
)

AnyJob = TrainingJob | PreferenceJob

_CPU, _MEMORY = 2, 16 * 1024
"""Cores, and MiB of memory, for each GPU. Most of the memory is for loading the base."""

app = modal.App(TRAIN, include_source=False).include(preferences_app)
volume = open_volume()
# With its profiles and presets, which are TOML.
image = add_folder(add_code(build_image("train")), "train")


@app.function(
    image=image,
    volumes={MOUNT: volume},
    cpu=1,
    memory=2048,
    timeout=10 * 60,
    max_containers=16,
)
def examine(job: TrainingJob) -> Outcome:
    """Check on a CPU whether a job can run, estimate it, and find out whether it is done."""
    try:
        return _examine(job)
    except UserError as error:
        return Outcome(job.name, str(error), failed=True)


def _examine(job: TrainingJob) -> Outcome:
    from train.artifacts.run_identity import refresh_show
    from train.base_model.access_check import check_base
    from train.data.examples import MissingDataError, check_format
    from train.estimate.plan import make_plan
    from train.finetuning import is_finished, load_run_examples
    from train.tracking import check_tracking

    try:
        run = job.resolve()
    except MissingDataError:
        raise UserError(_explain_missing_data(job)) from None
    examples = load_run_examples(run)
    if not job.fresh and is_finished(run, examples):
        refresh_show(run)
        volume.commit()
        return Outcome(job.name, f"up to date: {run.adapter}", idle=True)
    check_format(run.data, run.format, job.format)
    gpu, count = find_gpus(job.gpu)
    plan = make_plan(job.base, job.config, gpu, examples.training, examples.held_out)
    if run.pocket is None:
        check_base(run.base_source, HUGGING_FACE.command)
    check_tracking(WANDB.command)
    shared = f"; {count} of them share it: at best {plan.hours / count:.1f} h, the same money"
    return Outcome(job.name, f"{plan}{shared if count > 1 and plan.hours else ''}")


def _explain_missing_data(job: TrainingJob) -> str:
    option = "" if job.format == job.show.prompt.format else f" --format {job.format}"
    return (
        f"not prepared on the volume '{VOLUME}'; run"
        f" 'modal run -m data_prep --show {job.show.name}{option}' first"
    )


@app.function(
    image=image,
    gpu=DEFAULT_GPU,
    volumes={MOUNT: volume},
    env={VARIABLE: git_revision()},
    cpu=_CPU,
    memory=_MEMORY,
    timeout=24 * 60 * 60,
    # A preempted or crashed run continues from its last checkpoint, in a new container.
    retries=modal.Retries(max_retries=10, initial_delay=0.0, backoff_coefficient=1.0),
    single_use_containers=True,
)
def finetune(job: TrainingJob) -> Outcome:
    """Train an adapter on the volume, or continue an interrupted run."""
    _, count = find_gpus(job.gpu)
    return train_one(job) if count == 1 else launch(count, train_one, job)


def train_one(job: TrainingJob) -> Outcome:
    """Train in the only process of a container, or in one of several that share it."""
    # SystemExit: the first process failed, and reports the reason.
    with suppress(SystemExit):
        return attempt(job.name, lambda: f"adapter {_train(job)}")
    return Outcome(job.name, "stopped with the first process", failed=True)


def _train(job: TrainingJob) -> Path:
    from train import finetuning
    from train.trainer.process_group import current_group

    if job.group:
        os.environ[GROUP_VARIABLE] = job.group
    return finetuning.finetune(
        current_group().run_in_turn(lambda: job.resolve(publish=volume.commit))
    )


@app.function(image=image, volumes={MOUNT: volume}, cpu=1, memory=2048, timeout=10 * 60)
def compare(sweep: str, names: list[str]) -> str:
    """Draw the loss curves of a sweep on the volume, and return a table of its adapters."""
    volume.reload()
    table = compare_runs(Workspace.default(), sweep, names)
    volume.commit()
    return table


@app.local_entrypoint()
def main(
    show: str,
    base: str = "",
    gpu: str = "",
    profile: str = "reference",
    preset: str = "",
    config: str = "",
    set: str = "",  # noqa: A002 - modal names the option after it
    sweep: str = "",
    name: str = "",
    preferences: str = "",
    adapter: str = "",
    best_of_n: bool = False,  # noqa: FBT001 - modal makes the command line of it
    fresh: bool = False,  # noqa: FBT001
    token: bool = True,  # noqa: FBT001
    wandb: bool = False,  # noqa: FBT001
) -> None:
    """Check every run on a CPU, print its estimate, and train each in its own container.

    Args:
        show: A show's name, its TOML file, or `all`.
        base: A hub id, or `pocket`; by default that of --config, or the reference's.
        gpu: Modal's name of the GPU, or of several, as L4:4; by default L4, or the preset's.
        profile: `reference`, or `fast` or `small`, for Llama, Mistral, Qwen 2 and 3.
        preset: A run of the reference's history, as `phase3`, or `history` for all of them.
        config: A configuration file, as `config.toml` beside an adapter.
        set: Single settings, as "learning_rate=1e-4 rank=16".
        sweep: Settings with several values, as "learning_rate=1e-4,3e-5 rank=16,32": a run for
            each combination.
        name: The adapter's name, or the beginning of a sweep's names; by default the show's, or
            SHOW-PRESET, or ADAPTER-votes.
        preferences: Files of votes on this machine, separated by blanks, to tune --adapter by.
        adapter: The adapter that --preferences tunes; by default the show's.
        best_of_n: With --preferences: learn what was chosen, from fewer votes.
        fresh: Delete the adapters and checkpoints first.
        token: Ask the hub with the token in the secret `huggingface`.
        wandb: Report to Weights & Biases with the key in the secret `wandb`.
    """
    with reported_errors():
        others = {"--base": base, "--preset": preset, "--config": config, "--sweep": sweep}
        check_options(
            tunes=bool(preferences),
            others=others | {"--wandb": wandb},
            own={"--adapter": adapter, "--best-of-n": best_of_n},
        )
        if preferences:
            job = make_preference_job(
                load_show(show),
                [Path(file) for file in preferences.split()],
                adapter=adapter,
                own_name=name,
                settings=parse_assignments(set.split()),
                gpu=gpu or DEFAULT_GPU,
                best_of_n=best_of_n,
                fresh=fresh,
            )
            secrets = [HUGGING_FACE.to_secret()] * token
            train_all([job], secrets, examine_votes, tune_adapter)
            return
        file = read_config_file(Path(config)) if config else None
        jobs = make_jobs(
            [load_show(each) for each in (show_names() if show == "all" else [show])],
            find_presets(preset),
            base or (file and file.base) or REFERENCE_BASE,
            gpu,
            profile,
            name=name,
            file=file,
            settings=parse_assignments(set.split()),
            sweep=sweep.split(),
            fresh=fresh,
        )
        for warning in {line: None for job in jobs for line in list_job_warnings(job)}:
            print(f"warning: {warning}")
        named = [HUGGING_FACE] * (token and jobs[0].base != POCKET_BASE)
        named += [WANDB] * wandb
        secrets = [credentials.to_secret() for credentials in named]
        secrets += [modal.Secret.from_dict({"WANDB_MODE": "online"})] * wandb
        try:
            train_all(jobs, secrets)
        finally:
            for group in dict.fromkeys(job.group for job in jobs if job.group):
                names = [job.name for job in jobs if job.group == group]
                print(f"\n{compare.remote(group, names)}")


def train_all(
    jobs: Sequence[AnyJob],
    secrets: Sequence[modal.Secret] = (),
    examiner: Any = examine,
    trainer: Any = finetune,
) -> None:
    """Train all jobs that can run and are not done, at the same time.

    Args:
        jobs: The jobs.
        secrets: What their containers read.
        examiner: The function that checks a job.
        trainer: The function that trains it.

    Raises:
        UserError: some cannot run, or failed; the others are trained anyway.
    """
    examiner = examiner.with_options(secrets=secrets) if secrets else examiner
    checks = _run_each([(examiner, job) for job in jobs])
    runnable = [
        job for job, check in zip(jobs, checks, strict=True) if not (check.failed or check.idle)
    ]
    for check in checks:
        if not check.idle:
            print(f"{check.name}: {'cannot run' if check.failed else 'plan'}: {check.text}")
    for job in runnable:
        if job.fresh:
            delete_from_volume(job.name)
    trained = iter(_run_each([(_with_gpu(trainer, job.gpu, secrets), job) for job in runnable]))
    report(check if check.failed or check.idle else next(trained) for check in checks)


def _with_gpu(trainer: Any, gpu: str, secrets: Sequence[modal.Secret]) -> Any:
    _, count = find_gpus(gpu)
    return trainer.with_options(gpu=gpu, secrets=secrets, cpu=_CPU * count, memory=_MEMORY * count)


def delete_from_volume(name: str) -> None:
    """Delete an adapter and its checkpoints, here because a container can start twice."""
    place = Workspace(Path("/"))
    for folder in (place.adapter(name), place.checkpoints(name)):
        with suppress(FileNotFoundError, modal.exception.NotFoundError):
            volume.remove_file(str(folder), recursive=True)
            print(f"deleted from the volume: {folder}")


def _run_each(work: list[tuple[Any, AnyJob]]) -> list[Outcome]:
    """Run every job in its own container, and wait for all.

    The jobs are spawned, not mapped: Modal then restarts a job itself, also without this client.
    """
    try:
        calls = [function.spawn(job) for function, job in work]
    except modal.exception.NotFoundError as error:  # a secret is missing, and no job was started
        commands = (HUGGING_FACE.command, WANDB.command)
        raise UserError(f"{error}; a secret is made with: {' or '.join(commands)}") from None
    return [_await(job.name, call) for (_, job), call in zip(work, calls, strict=True)]


def _await(name: str, call: "modal.FunctionCall[Outcome]") -> Outcome:
    try:
        return call.get()
    except Exception as error:  # noqa: BLE001 - it is reported, and the other jobs continue
        return Outcome.of_crash(name, error)
