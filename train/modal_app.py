"""QLoRA of one show or many, on Modal's GPUs.

modal run --detach -m train --show seinfeld
modal run --detach -m train --show seinfeld --gpu L4:4          # four in one container
modal run -m train --show seinfeld --preset history             # six runs, side by side
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import modal
import modal.exception

from deployment.credentials import HUGGING_FACE, WANDB
from deployment.facts import MOUNT, TRAIN, VOLUME
from deployment.images import add_code, build_image
from deployment.outcome import Outcome, attempt, report
from deployment.storage import open_volume
from nothing_gpt.adapter.manifest import adapter_name
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.gpus import find_gpus
from nothing_gpt.show import Show, load_show, show_names
from nothing_gpt.workspace import Workspace
from train.artifacts.provenance import VARIABLE, git_revision
from train.base_model import pocket
from train.base_model.loading import REFERENCE_BASE
from train.config.presets import PRESETS, Preset, at_pocket_size, load_preset, with_profile
from train.config.training_config import POCKET, TrainingConfig, list_warnings, load_profile
from train.trainer.process_group import ProcessGroup, launch

HISTORY = "history"
"""All presets."""

_GPU = "L4"
_CPU, _MEMORY = 2, 16 * 1024
"""For each GPU: cores, and MiB, most of which a base takes on its way to the GPU."""

app = modal.App(TRAIN, include_source=False)
volume = open_volume()
image = add_code(build_image("train"), "train")


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What one container trains; it travels there as a value.

    `fresh` does it again though it be done; what is there has been deleted then.
    """

    show: Show
    base: str
    config: TrainingConfig
    gpu: str = _GPU
    preset: Preset | None = None
    fresh: bool = False

    @property
    def name(self) -> str:
        """The adapter's name."""
        return adapter_name(self.show.name, self.preset.name if self.preset else "")


@app.function(
    image=image,
    volumes={MOUNT: volume},
    cpu=1,
    memory=2048,
    timeout=10 * 60,
    max_containers=16,
)
def examine(job: TrainingJob) -> Outcome:
    """Find out on a CPU whether a run can succeed, what it will take, and whether it is done."""
    from train.base_model.access_check import check_base, check_tracking
    from train.data.examples import read_examples
    from train.estimate.plan import make_plan
    from train.finetuning import Run, is_finished

    place = Workspace.default()
    wanted = job.preset.format if job.preset else job.show.prompt.format
    data = place.examples(job.show, wanted)

    def look() -> str:
        if not data.is_dir():
            other = f" --format {wanted}" if wanted != job.show.prompt.format else ""
            raise UserError(
                f"not prepared on the volume '{VOLUME}'; run"
                f" 'modal run -m data_prep --show {job.show.name}{other}' first"
            )
        training, held_out = read_examples(data, wanted)
        gpu, count = find_gpus(job.gpu)
        plan = make_plan(job.base, job.config, gpu, training, held_out)
        if job.base != pocket.NAME:
            check_base(place.find_base(job.base), HUGGING_FACE.command)
        check_tracking(WANDB.command)
        shared = f"; {count} of them share it: at best {plan.hours / count:.1f} h, the same money"
        return f"{plan}{shared if count > 1 and plan.hours else ''}"

    with suppress(UserError):  # which look raises too
        run = Run(job.show, job.base, job.config, place, preset=job.preset)
        if not job.fresh and is_finished(run):
            return Outcome(job.name, f"up to date: {place.adapter(job.name)}", idle=True)
    return attempt(job.name, look)


@app.function(
    image=image,
    gpu=_GPU,
    volumes={MOUNT: volume},
    env={VARIABLE: git_revision()},
    cpu=_CPU,
    memory=_MEMORY,
    timeout=24 * 60 * 60,
    # A preempted or crashed run goes on from its last checkpoint, in a container of its own.
    retries=modal.Retries(max_retries=10, initial_delay=0.0, backoff_coefficient=1.0),
    single_use_containers=True,
)
def finetune(job: TrainingJob) -> Outcome:
    """Train an adapter on the volume, or go on with what was interrupted."""
    _, count = find_gpus(job.gpu)
    return train_one(job) if count == 1 else launch(count, train_one, job)


def train_one(job: TrainingJob) -> Outcome:
    """Train as the only process, or as one of those that share a container."""
    from train.finetuning import Run
    from train.finetuning import finetune as train_adapter

    place = Workspace.default()
    run = Run(job.show, job.base, job.config, place, published=volume.commit, preset=job.preset)
    with suppress(SystemExit):  # another process failed, and tells why
        return attempt(job.name, lambda: f"adapter {train_adapter(run)}")
    return Outcome(job.name, "stopped with the first process", failed=True)


@app.local_entrypoint()
def main(
    show: str,
    base: str = REFERENCE_BASE,
    gpu: str = "",
    profile: str = "reference",
    preset: str = "",
    seed: int = -1,
    fresh: bool = False,  # noqa: FBT001 - modal makes the command line of it
    token: bool = True,  # noqa: FBT001
    wandb: bool = False,  # noqa: FBT001
) -> None:
    """Look at every run on a CPU, print its plan, and train each in a container of its own.

    Args:
        show: A show's name, its TOML file, or `all`.
        base: A hub id, or `pocket`.
        gpu: Modal's name of the GPU, or of several, as L4:4; by default L4, or the preset's.
        profile: `reference`, or for Llamas `fast` or `small`.
        preset: A run of the reference's history, as `phase3`, or `history` for all of them.
        seed: Seed of data order and dropout; by default the configuration's.
        fresh: Delete the adapters and checkpoints first.
        token: Ask the hub with the token in the secret `huggingface`.
        wandb: Report to Weights & Biases with the key in the secret `wandb`.
    """
    with reported_errors():
        shows = [load_show(name) for name in (show_names() if show == "all" else [show])]
        presets = _find_presets(preset)
        jobs = [
            replace(_make_job(each, base, gpu, profile, one, seed), fresh=fresh)
            for each in shows
            for one in presets
        ]
        for warning in {line: None for job in jobs for line in _list_warnings(job)}:
            print(f"warning: {warning}")
        named = [HUGGING_FACE] * (token and base != pocket.NAME)
        named += [WANDB] * wandb
        secrets = [credentials.to_secret() for credentials in named]
        train_all(jobs, secrets)


def _find_presets(name: str) -> Sequence[Preset | None]:
    if name == HISTORY:
        return tuple(PRESETS.values())
    return (load_preset(name) if name else None,)


def _make_job(
    show: Show, base: str, gpu: str, profile: str, preset: Preset | None, seed: int
) -> TrainingJob:
    """Decide on a run, and refuse here what cannot be.

    Raises:
        UserError: there is no such profile or GPU, or so many cannot share a step.
    """
    config = POCKET if base == pocket.NAME else load_profile(profile)
    if preset:
        small = base == pocket.NAME
        config = at_pocket_size(preset) if small else with_profile(preset, config)
    if seed >= 0:
        config = replace(config, seed=seed)
    chosen = gpu or (preset.gpu if preset else _GPU)
    kind, count = find_gpus(chosen)
    ProcessGroup(0, count).divide(config)
    return TrainingJob(
        show, base, config, f"{kind.name}:{count}" if count > 1 else kind.name, preset
    )


def _list_warnings(job: TrainingJob) -> list[str]:
    found = list_warnings(job.config)
    return [f"{job.preset.name}: {line}" for line in found] if job.preset else found


def train_all(jobs: list[TrainingJob], secrets: Sequence[modal.Secret] = ()) -> None:
    """Train those jobs that can succeed and are not done, side by side.

    Raises:
        UserError: some cannot, or failed; the others are trained all the same.
    """
    examiner = examine.with_options(secrets=secrets) if secrets else examine
    looked = _run_each([(examiner, job) for job in jobs])
    good = [
        job for job, found in zip(jobs, looked, strict=True) if not (found.failed or found.idle)
    ]
    for found in looked:
        if not found.idle:
            print(f"{found.name}: {'cannot run' if found.failed else 'plan'}: {found.text}")
    for job in good:
        if job.fresh:
            forget(job.name)
    trained = iter(_run_each([(_prepare_gpu(job.gpu, secrets), job) for job in good]))
    report(found if found.failed or found.idle else next(trained) for found in looked)


def _prepare_gpu(gpu: str, secrets: Sequence[modal.Secret]) -> Any:
    _, count = find_gpus(gpu)
    return finetune.with_options(
        gpu=gpu, secrets=secrets, cpu=_CPU * count, memory=_MEMORY * count
    )


def forget(name: str) -> None:
    """Delete an adapter and its checkpoints; done here, as a container may start again."""
    place = Workspace(Path("/"))
    for folder in (place.adapter(name), place.checkpoints(name)):
        with suppress(FileNotFoundError, modal.exception.NotFoundError):
            volume.remove_file(str(folder), recursive=True)
            print(f"deleted from the volume: {folder}")


def _run_each(work: list[tuple[Any, TrainingJob]]) -> list[Outcome]:
    """Give every job a container, and wait for all.

    Spawned, not mapped: Modal itself then starts a job again, also when this terminal has gone.
    """
    try:
        calls = [function.spawn(job) for function, job in work]
    except modal.exception.NotFoundError as error:  # a secret; nothing has been started
        commands = (HUGGING_FACE.command, WANDB.command)
        raise UserError(f"{error}; a secret is made with: {' or '.join(commands)}") from None
    return [_await(job.name, call) for (_, job), call in zip(work, calls, strict=True)]


def _await(name: str, call: "modal.FunctionCall[Outcome]") -> Outcome:
    try:
        return call.get()
    except Exception as error:  # noqa: BLE001 - the other jobs go on, and this is reported
        return Outcome.of_crash(name, error)
