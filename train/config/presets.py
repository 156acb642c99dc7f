"""The six runs of the reference's history, as presets.

Format, rank and loss of each run are what the reference's report states; so are alpha and
learning rate of the last two phases. **Assumed**, because the report does not state them: the
learning rates of phases 1 and 2, alpha at twice the rank until phase 4 halved it (phase 3 had 64
over 32), 512 tokens on the T4 (where evaluating 1,024 ran out of memory), and everything else as
in the last phase.
"""

from dataclasses import dataclass, replace

from nothing_gpt.errors import UserError
from nothing_gpt.show import FormatName
from train.config.training_config import POCKET, REFERENCE, TrainingConfig


@dataclass(frozen=True, slots=True)
class ReportedLoss:
    """A held-out loss from the reference's report, in nats a token, and the epoch it is from."""

    epoch: float
    loss: float


@dataclass(frozen=True, slots=True)
class Preset:
    """One run of the reference: data format, hyperparameters, GPU and reported losses."""

    name: str
    format: FormatName
    config: TrainingConfig
    gpu: str
    reported: tuple[ReportedLoss, ...]


_NF4 = replace(REFERENCE, quantize="nf4")
_PHASE1 = replace(_NF4, max_length=512, learning_rate=2e-4)
_PHASE2 = replace(_NF4, learning_rate=1e-4, completion_only=False)

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "phase1-r16",
            "single-turn",
            replace(_PHASE1, rank=16, alpha=32),
            "T4",
            (ReportedLoss(0.9, 2.585),),
        ),
        Preset(
            "phase1-r32",
            "single-turn",
            replace(_PHASE1, rank=32, alpha=64),
            "T4",
            (ReportedLoss(0.94, 2.542),),
        ),
        Preset(
            "phase2-r32",
            "per-character",
            replace(_PHASE2, rank=32, alpha=64),
            "L4",
            (ReportedLoss(0.24, 1.732),),
        ),
        Preset(
            "phase2-r64",
            "per-character",
            replace(_PHASE2, rank=64, alpha=128),
            "L4",
            (ReportedLoss(0.24, 1.727),),
        ),
        Preset(
            "phase3",
            "script",
            replace(_NF4, alpha=64, learning_rate=1e-4),
            "L4",
            (ReportedLoss(0.27, 2.187), ReportedLoss(0.98, 2.236)),
        ),
        Preset("phase4", "script", _NF4, "L4", (ReportedLoss(0.98, 2.187),)),
    )
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
    config = preset.config
    return replace(
        POCKET,
        rank=config.rank,
        alpha=config.alpha,
        dropout=config.dropout,
        weight_decay=config.weight_decay,
        completion_only=config.completion_only,
        max_length=min(POCKET.max_length, config.max_length),
        train_batch=POCKET.train_batch * (1 if preset.format == "script" else 4),
    )
