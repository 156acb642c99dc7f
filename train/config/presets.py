"""The six runs of the reference's history, as presets, a TOML file each.

Format, rank and loss of each run are what the reference's report states; so are alpha and
learning rate of the last two phases. **Assumed**, because the report does not state them: the
learning rates of phases 1 and 2, alpha at twice the rank until phase 4 halved it (phase 3 had 64
over 32), 512 tokens on the T4 (where evaluating 1,024 ran out of memory), and everything else as
in the last phase.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from nothing_gpt.errors import UserError
from nothing_gpt.show import FormatName
from train.config.config_file import ReportedLoss, apply_settings, read_config_file
from train.config.profiles import POCKET, load_profile
from train.config.training_config import TrainingConfig


@dataclass(frozen=True, slots=True)
class Preset:
    """One run of the reference: data format, hyperparameters, GPU and reported losses."""

    name: str
    format: FormatName
    config: TrainingConfig
    gpu: str
    reported: tuple[ReportedLoss, ...]


def _read_preset(path: Path) -> Preset:
    file = read_config_file(path)
    config = apply_settings(TrainingConfig(), file.settings, str(path))
    return Preset(path.stem, file.format or "script", config, file.gpu or "L4", file.reported)


PRESETS: dict[str, Preset] = {
    path.stem: _read_preset(path)
    for path in sorted((Path(__file__).parent / "presets").glob("*.toml"))
}


def load_preset(name: str) -> Preset:
    """Return a preset by its name.

    Raises:
        UserError: there is no preset of this name.
    """
    if name not in PRESETS:
        raise UserError(f"no preset '{name}'; there are {', '.join(PRESETS)}")
    return PRESETS[name]


def with_profile(preset: Preset, profile: TrainingConfig) -> TrainingConfig:
    """Take batches and memory from a profile, and everything else from the preset."""
    return replace(
        preset.config,
        train_batch=profile.train_batch,
        eval_batch=profile.eval_batch,
        accumulation=profile.accumulation,
        gradient_checkpointing=profile.gradient_checkpointing,
        fused=profile.fused,
    )


def at_pocket_size(preset: Preset) -> TrainingConfig:
    """Scale a preset down to the pocket base.

    Rank, alpha, dropout, weight decay and the loss are the preset's. Steps, lengths and the
    learning rate are the pocket's: what suits 3 billion weights does not move 2 million. In the
    formats whose answer is a single speech, a step has four times as many examples.
    """
    config, pocket = preset.config, load_profile(POCKET)
    return replace(
        pocket,
        rank=config.rank,
        alpha=config.alpha,
        dropout=config.dropout,
        weight_decay=config.weight_decay,
        completion_only=config.completion_only,
        max_length=min(pocket.max_length, config.max_length),
        train_batch=pocket.train_batch * (1 if preset.format == "script" else 4),
    )
