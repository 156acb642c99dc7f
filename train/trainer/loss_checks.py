"""Checks on the losses of a run: breakdown, no gain, growing gaps."""

import math
from statistics import median
from typing import Any

LogEntry = dict[str, Any]
"""What the trainer logged at one optimiser step; losses are in nats a token."""

_GAP = 0.3
"""Growth of held-out over training loss, in nats, that causes a warning. An assumption: the
reference ended at 0.09, and three times that is more than the noise of 50 steps."""

_SPIKE = 10.0
"""A gradient norm of so many times the median so far causes a warning. An assumption."""


def find_breakdown(entry: LogEntry, *, scaled: bool) -> str | None:
    """Return the first value of an entry that is not finite, with its name; None if all are.

    Args:
        entry: What was logged.
        scaled: Whether gradients are scaled, as in fp16. An infinite gradient then is a step
            that the scaler left out, and no breakdown.
    """
    for key, label in (
        ("loss", "training loss"),
        ("eval_loss", "held-out loss"),
        ("grad_norm", "gradient norm"),
    ):
        if key in entry and not math.isfinite(entry[key]) and not (scaled and key == "grad_norm"):
            return f"{label} {entry[key]}"
    return None


def count_without_gain(entries: list[LogEntry]) -> int:
    """Count the latest evaluations in a row that did not lower the held-out loss.

    The evaluation before the first step is of the base alone, and does not count.
    """
    losses = [e["eval_loss"] for e in entries if "eval_loss" in e and e["step"] > 0]
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0


def list_loss_warnings(entries: list[LogEntry]) -> list[str]:
    """List warnings about a run so far, in the order of the steps that caused them."""
    warnings: list[str] = []
    norms: list[float] = []
    trained, first_gap = None, None
    gap_found = False
    for entry in entries:
        if "loss" in entry:
            trained = entry["loss"]
        norm = entry.get("grad_norm", math.nan)
        usual = median(norms) if len(norms) >= 5 else 0.0
        if usual and norm > _SPIKE * usual:
            warnings.append(
                f"gradient norm {norm:.3g} at step {entry['step']}, {norm / usual:.0f} times the"
                " usual; if losses rise after it, lower the learning rate"
            )
        if math.isfinite(norm):
            norms.append(norm)
        if "eval_loss" in entry and trained is not None:
            gap = entry["eval_loss"] - trained
            first_gap = gap if first_gap is None else first_gap
            if gap - first_gap > _GAP and not gap_found:
                gap_found = True
                warnings.append(
                    f"training loss {trained:.3f} far below the held-out {entry['eval_loss']:.3f}"
                    f" at step {entry['step']}: it learns by heart (the reference's gap was 0.09);"
                    " fewer epochs, a lower rank, or --patience"
                )
    return warnings
