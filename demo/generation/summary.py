"""What the room says to the writer."""

from dataclasses import dataclass
from typing import Literal

from demo.generation.client import Ending, LockState, Progress
from demo.generation.request import GenerationRequest
from demo.generation.speed import Speed
from nothing_gpt.errors import UserError


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """What the room says to the writer, and how it means it."""

    text: str
    mood: Literal["calm", "busy", "problem"] = "calm"

    @classmethod
    def problem(cls, error: UserError, kept: str = "") -> "StatusMessage":
        """Say what went wrong, after what was kept."""
        text = str(error)
        return cls(f"{kept} {text[:1].upper()}{text[1:]}.".strip(), "problem")

    @classmethod
    def waking(cls, seconds: float) -> "StatusMessage":
        """Say that the server is being waited for, and how long that mostly takes."""
        return cls(
            f"Waiting for the server, {seconds:.0f} s so far. A GPU that was asleep is starting; "
            "usually 60-120 s.",
            "busy",
        )


NOTHING = StatusMessage("")
"""Nothing to say."""


@dataclass(frozen=True, slots=True)
class GenerationReport:
    """How a continuation goes or went: how fast, who kept the cast, and why it ended."""

    speed: Speed
    lock: LockState
    ending: Ending | None

    @classmethod
    def of(cls, step: Progress) -> "GenerationReport":
        """What a step tells."""
        return cls(step.speed, step.lock, step.ending)


def summarize(order: GenerationRequest, count: int, missing: list[str], last: Progress) -> str:
    """Say how a continuation ended, who of those who must speak did not, and what was left out.

    Args:
        count: Lines that were taken in.
    """
    lines, model = say_lines(count), order.take.model
    said: dict[Ending, str] = {
        "enough": f"{lines} by {model}.",
        "finished": f"{model} ended the scene after {lines} of {order.lines}. Continue asks on.",
        "cut": f"{lines}; the next one ran too long for {model} and was left out.",
        "loop": (
            f"{lines}; then {model} began to repeat itself and was stopped. "
            f"Retake tries again, or write a line that changes the subject."
        ),
    }
    silent = f" {' and '.join(missing)} did not speak." if missing else ""
    return said[last.ending or "finished"] + silent + say_left_out(last)


def say_kept(count: int) -> str:
    """Say how many lines stay."""
    return f"{say_lines(count)} kept."


def say_left_out(last: Progress) -> str:
    """Say what of a model's text is not in the scene."""
    said = ""
    if last.dropped:
        one = last.dropped == 1
        what = "piece of text that was no line" if one else "pieces of text that were no lines"
        said += f" {last.dropped} {what} left out."
    if last.barred:
        lines = "1 line" if last.barred == 1 else f"{last.barred} lines"
        said += f" {lines} left out, of a speaker who may not speak here."
    return said


def say_lines(count: int) -> str:
    """Say a number of lines, as a sentence begins."""
    return "1 line" if count == 1 else f"{count or 'No'} lines"
