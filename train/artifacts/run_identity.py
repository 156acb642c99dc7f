"""What tells runs apart: whether an adapter is up to date, or another run's."""

from dataclasses import asdict, replace

from nothing_gpt.adapter.manifest import BaseModel, read_manifest, write_manifest
from nothing_gpt.files import fingerprint
from train.config.run import Run
from train.config.training_config import TrainingConfig
from train.data.examples import RunExamples


def fingerprint_run(run: Run, examples: RunExamples, base: BaseModel | None) -> str:
    """Return the fingerprint of a run's data, base and configuration.

    Settings count only where they differ from the defaults, so that a new setting leaves the
    fingerprints of older runs as they are.

    Args:
        run: The run.
        examples: Its examples.
        base: Its base; None for a hub id, which counts by its name.
    """
    defaults = asdict(TrainingConfig())
    settings = {k: value for k, value in asdict(run.config).items() if value != defaults[k]}
    identity = base.fingerprint if base else run.base
    return fingerprint([examples.training, examples.evaluated, settings, identity])


def is_current(run: Run, inputs: str) -> bool:
    """Return whether the run's adapter exists and is of these inputs."""
    return run.adapter.is_dir() and read_manifest(run.adapter).inputs == inputs


def refresh_show(run: Run) -> None:
    """Write the show as it is now into an adapter that needs no training.

    Its sampling, its openings and its texts can change without its examples; servers read them
    from the manifest.
    """
    manifest = read_manifest(run.adapter)
    if manifest.show != run.show:
        write_manifest(run.adapter, replace(manifest, show=run.show))
        print(f"adapter '{run.name}' has the show's new settings")


def is_other_run(run: Run, base: BaseModel | None) -> bool:
    """Return whether the run's adapter is of another base or configuration, not of other data.

    A pocket base is compared by its name, because it changes with the data; so is the base of a
    hub id before it is loaded.
    """
    if not run.adapter.is_dir():
        return False
    manifest = read_manifest(run.adapter)
    settings = asdict(run.config) | {"target_modules": list(run.config.target_modules)}
    if any(settings.get(name, value) != value for name, value in manifest.config.items()):
        return True
    if base is None or run.pocket:
        return manifest.base.id != run.base
    return manifest.base != base
