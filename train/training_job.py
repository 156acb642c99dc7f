"""The jobs of a command on Modal: what each container trains."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nothing_gpt.adapter.manifest import adapter_name
from nothing_gpt.errors import UserError
from nothing_gpt.hardware.gpus import find_gpus
from nothing_gpt.show import FormatName, Show
from nothing_gpt.workspace import Workspace
from train.config.config_file import ConfigFile, parse_assignments
from train.config.presets import PRESETS, Preset, load_preset
from train.config.run import Run, resolve_config, resolve_run
from train.config.training_config import TrainingConfig, list_warnings
from train.sweep import SweepRun, list_sweep_runs, name_sweep
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
        own_name: The adapter's name, if it is not the show's or the preset's.
        own_format: The prompt format of the examples, if it is not the show's or the preset's.
        group: The group at Weights & Biases, if the job is one of a sweep.
        fresh: Train it even if it is done. The old adapter has been deleted by then.
    """

    show: Show
    base: str
    config: TrainingConfig
    gpu: str = DEFAULT_GPU
    preset: Preset | None = None
    own_name: str = ""
    own_format: FormatName | None = None
    group: str = ""
    fresh: bool = False

    @property
    def name(self) -> str:
        """The adapter's name."""
        preset = self.preset.name if self.preset else ""
        return self.own_name or adapter_name(self.show.name, preset)

    @property
    def format(self) -> FormatName:
        """The prompt format that the examples must have."""
        own = self.preset.format if self.preset else self.own_format
        return own or self.show.prompt.format

    def resolve(self, publish: Callable[[], None] = lambda: None) -> Run:
        """Work out the names and paths of its run.

        Args:
            publish: Called after every checkpoint and at the end.

        Raises:
            UserError: the data is not prepared, or is of another format.
        """
        return resolve_run(
            self.show,
            self.base,
            self.config,
            Workspace.default(),
            name=self.own_name,
            preset=self.preset,
            format_name=self.own_format,
            publish=publish,
        )


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
    name: str = "",
    file: ConfigFile | None = None,
    settings: Mapping[str, Any] | None = None,
    group: str = "",
    fresh: bool = False,
) -> TrainingJob:
    """Make a job, and check it as far as possible without its data.

    Args:
        show: The show.
        base: A hub id, or `pocket`.
        gpu: Modal's name of the GPU, or of several; "" is the preset's, or the default.
        profile: The name of the profile of a real base.
        preset: The reference's run to repeat.
        name: The adapter's name; by default the show's or the preset's.
        file: A configuration file.
        settings: Single settings by name.
        group: The group at Weights & Biases.
        fresh: Train it even if it is done.

    Raises:
        UserError: there is no such profile, setting or GPU, or so many GPUs cannot share a step.
    """
    config = resolve_config(base, profile, preset, file=file, settings=settings)
    own_gpu = preset.gpu if preset else file and file.gpu
    kind, count = find_gpus(gpu or own_gpu or DEFAULT_GPU)
    ProcessGroup(0, count).split_step(config)
    gpus = f"{kind.name}:{count}" if count > 1 else kind.name
    own_format = file.format if file else None
    return TrainingJob(show, base, config, gpus, preset, name, own_format, group, fresh)


def make_jobs(
    shows: Sequence[Show],
    presets: Sequence[Preset | None],
    base: str,
    gpu: str,
    profile: str,
    *,
    name: str,
    file: ConfigFile | None,
    settings: Mapping[str, Any],
    sweep: Sequence[str],
    fresh: bool,
) -> list[TrainingJob]:
    """Make a job for each show, preset and combination of the sweep; arguments as of `make_job`.

    Args:
        sweep: Settings with several values, as `rank=16,32`.

    Raises:
        UserError: there is a name for several shows or presets; or as `make_job`.
    """
    if name and len(shows) * len(presets) > 1:
        raise UserError(f"--name {name}: this command trains several adapters")
    jobs = []
    for show in shows:
        for preset in presets:
            first = name or adapter_name(show.name, preset.name if preset else "")
            runs = list_sweep_runs(first, sweep) if sweep else [SweepRun(name, ())]
            jobs += [
                make_job(
                    show,
                    base,
                    gpu,
                    profile,
                    preset,
                    name=run.name,
                    file=file,
                    settings={**settings, **parse_assignments(run.settings)},
                    group=name_sweep(first) if sweep else "",
                    fresh=fresh,
                )
                for run in runs
            ]
    return jobs


def list_job_warnings(job: TrainingJob) -> list[str]:
    """List the warnings on a job's configuration, each with the preset's name."""
    warnings = list_warnings(job.config)
    return [f"{job.preset.name}: {line}" for line in warnings] if job.preset else warnings
