"""The jobs of a command on Modal: what each container trains."""

from collections.abc import Sequence
from dataclasses import dataclass

from nothing_gpt.adapter.manifest import adapter_name
from nothing_gpt.gpus import find_gpus
from nothing_gpt.show import FormatName, Show
from train.config.presets import PRESETS, Preset, load_preset
from train.config.run import resolve_config
from train.config.training_config import TrainingConfig, list_warnings
from train.trainer.process_group import ProcessGroup

HISTORY = "history"
"""The name that stands for all presets on the command line."""

DEFAULT_GPU = "L4"


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What one container trains; it is pickled and sent there.

    Attributes:
        show: The show.
        base: A hub id, or `pocket`.
        config: The hyperparameters.
        gpu: Modal's name of the GPU, or of several, as L4:4.
        preset: The reference's run to repeat.
        fresh: Train it even if it is done. The old adapter has been deleted by then.
    """

    show: Show
    base: str
    config: TrainingConfig
    gpu: str = DEFAULT_GPU
    preset: Preset | None = None
    fresh: bool = False

    @property
    def name(self) -> str:
        """The adapter's name."""
        return adapter_name(self.show.name, self.preset.name if self.preset else "")

    @property
    def format(self) -> FormatName:
        """The prompt format that the examples must have."""
        return self.preset.format if self.preset else self.show.prompt.format


def find_presets(name: str) -> Sequence[Preset | None]:
    """Return the presets of a name: all for `history`, and a single None for "".

    Raises:
        UserError: there is no preset of this name.
    """
    if name == HISTORY:
        return tuple(PRESETS.values())
    return (load_preset(name) if name else None,)


def make_job(
    show: Show,
    base: str,
    gpu: str,
    profile: str,
    preset: Preset | None = None,
    *,
    seed: int | None = None,
    fresh: bool = False,
) -> TrainingJob:
    """Make a job, and check it as far as possible without its data.

    Args:
        show: The show.
        base: A hub id, or `pocket`.
        gpu: Modal's name of the GPU, or of several; "" is the preset's, or the default.
        profile: The name of the profile of a real base.
        preset: The reference's run to repeat.
        seed: Replaces the configuration's seed.
        fresh: Train it even if it is done.

    Raises:
        UserError: there is no such profile or GPU, or so many GPUs cannot share a step.
    """
    config = resolve_config(base, profile, preset, seed=seed)
    kind, count = find_gpus(gpu or (preset.gpu if preset else DEFAULT_GPU))
    ProcessGroup(0, count).split_step(config)
    name = f"{kind.name}:{count}" if count > 1 else kind.name
    return TrainingJob(show, base, config, name, preset, fresh)


def list_job_warnings(job: TrainingJob) -> list[str]:
    """List the warnings on a job's configuration, each with the preset's name."""
    warnings = list_warnings(job.config)
    return [f"{job.preset.name}: {line}" for line in warnings] if job.preset else warnings
