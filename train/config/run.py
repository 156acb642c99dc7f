"""One training run with every name and path worked out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nothing_gpt.adapter.manifest import adapter_name
from nothing_gpt.errors import UserError
from nothing_gpt.show import FormatName, Show
from nothing_gpt.workspace import Workspace
from train.config.base_names import POCKET_BASE, SMOLLM2_BASE, SMOLLM2_ID
from train.config.config_file import ConfigFile, apply_settings
from train.config.presets import Preset, at_pocket_size, with_profile
from train.config.pretraining_config import PretrainingConfig
from train.config.profiles import POCKET, load_profile
from train.config.training_config import TrainingConfig
from train.data.examples import read_data_report

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class PocketBase:
    """How to build the pocket base of a show.

    Attributes:
        folder: The folder of the model.
        data: The folder of the show's examples in its own format. All presets share one pocket
            base, so that it does not depend on the format of the run.
        pretraining: The hyperparameters.
    """

    folder: Path
    data: Path
    pretraining: PretrainingConfig


@dataclass(frozen=True, slots=True)
class GgufBase:
    """A base that is imported from a GGUF file.

    Attributes:
        folder: The folder of the imported model.
        file: The GGUF file; None is that of SmolLM2, which pip fetches.
    """

    folder: Path
    file: Path | None


@dataclass(frozen=True, slots=True)
class Run:
    """One training run; made by `resolve_run`.

    Attributes:
        show: The show.
        name: The adapter's name: by default the show's, or `SHOW-PRESET`.
        format: The prompt format of the examples.
        config: The hyperparameters of a whole optimiser step, before processes share it.
        base: The base model as the manifest names it: a hub id, a folder, or `pocket-SHOW`.
        base_option: The base as it was asked for.
        base_source: A folder or hub id that transformers can load the base from.
        data: The folder of the examples.
        adapter: The folder of the finished adapter.
        replaced: Where an adapter of another base or configuration is kept that it replaces.
        checkpoints: The folder of an unfinished run's checkpoints.
        logs: The folder of tracking files.
        data_report: data_prep's report on the examples.
        preset: The name of the reference's run that this one repeats, or "".
        pocket: How to build the base if it is the pocket base.
        gguf: How to import the base if it is a GGUF file or SmolLM2.
        fresh: Whether to ignore finished and unfinished work.
        publish: Called after every checkpoint and at the end; on Modal it commits the volume.
    """

    show: Show
    name: str
    format: FormatName
    config: TrainingConfig
    base: str
    base_option: str
    base_source: str
    data: Path
    adapter: Path
    replaced: Path
    checkpoints: Path
    logs: Path
    data_report: dict[str, Any] = field(default_factory=dict)
    preset: str = ""
    pocket: PocketBase | None = None
    gguf: GgufBase | None = None
    fresh: bool = False
    publish: Callable[[], None] = lambda: None


def resolve_config(
    base: str,
    profile: str | None = None,
    preset: Preset | None = None,
    *,
    file: ConfigFile | None = None,
    settings: Mapping[str, Any] | None = None,
) -> TrainingConfig:
    """Choose the hyperparameters of a run. What comes later in the arguments wins.

    Args:
        base: `smollm2`, `pocket`, a hub id, a folder or a GGUF file.
        profile: The name of a profile; by default `laptop` for SmolLM2 and `reference` for other
            bases. The pocket base has only one.
        preset: The reference's run to repeat.
        file: A configuration file.
        settings: Single settings by name.

    Raises:
        UserError: there is no such profile or setting, or a value does not suit its setting.
    """
    pocket = base == POCKET_BASE
    own = "laptop" if base == SMOLLM2_BASE and preset is None else "reference"
    config = load_profile(POCKET if pocket else profile or own)
    if preset:
        config = at_pocket_size(preset) if pocket else with_profile(preset, config)
    config = apply_settings(config, file.settings if file else {}, "--config")
    return apply_settings(config, settings or {}, "--set")


def check_name(name: str) -> None:
    """Check that an adapter's name, if one is given, can be a folder's and a model's.

    Raises:
        UserError: it cannot.
    """
    if name and not _NAME.fullmatch(name):
        raise UserError(f"--name '{name}': use small letters, digits, '-', '_' and '.'")


def resolve_run(
    show: Show,
    base: str,
    config: TrainingConfig,
    workspace: Workspace,
    *,
    name: str = "",
    preset: Preset | None = None,
    format_name: FormatName | None = None,
    pretraining: PretrainingConfig | None = None,
    fresh: bool = False,
    publish: Callable[[], None] = lambda: None,
) -> Run:
    """Work out the names and paths of a run.

    Args:
        show: The show.
        base: `smollm2`, `pocket`, a hub id, a folder or a GGUF file.
        config: The hyperparameters.
        workspace: The folder that the stages share.
        name: The adapter's name; by default the show's, or `SHOW-PRESET`.
        preset: The reference's run to repeat; it decides the data format.
        format_name: The data format; by default the preset's, or else the show's own.
        pretraining: The hyperparameters of the pocket base; by default those of the project.
        fresh: Whether to ignore finished and unfinished work.
        publish: Called after every checkpoint and at the end.

    Raises:
        UserError: the data is not prepared, or is of another format than the preset's; or the
            name cannot be a folder's and a model's.
    """
    own_data = workspace.examples(show, show.prompt.format)
    format_name = preset.format if preset else format_name
    data = workspace.examples(show, format_name) if format_name else own_data
    report = read_data_report(data, format_name)
    preset_name = preset.name if preset else ""
    check_name(name)
    name = name or adapter_name(show.name, preset_name)
    pocket, gguf = None, None
    base_option, source = base, workspace.find_base(base)
    if base == POCKET_BASE:
        folder = workspace.base(show.name)
        pocket = PocketBase(folder, own_data, pretraining or PretrainingConfig())
        base, source = folder.name, str(folder.resolve())
    elif base == SMOLLM2_BASE:
        gguf = GgufBase(workspace.model(SMOLLM2_ID), None)
    elif base.endswith(".gguf"):
        gguf = GgufBase(workspace.model(Path(base).stem), Path(base))
    elif source != base and Path(base).is_dir():
        base = source  # so that the manifest's path is found from any folder
    if gguf:
        base, source = gguf.folder.name, str(gguf.folder.resolve())
    return Run(
        show=show,
        name=name,
        format=report["format"],
        config=config,
        base=base,
        base_option=base_option,
        base_source=source,
        data=data,
        adapter=workspace.adapter(name),
        replaced=workspace.replaced_adapter(name),
        checkpoints=workspace.checkpoints(name),
        logs=workspace.logs,
        data_report=report,
        preset=preset_name,
        pocket=pocket,
        gguf=gguf,
        fresh=fresh,
        publish=publish,
    )
