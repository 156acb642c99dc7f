"""Messages to the writer about a continuation: its state, its outcome, its speed."""

from dataclasses import dataclass
from typing import Literal

from demo.generation.request import GenerationRequest
from demo.generation.stream import Ending, LockState, Progress, Speed
from nothing_gpt.errors import UserError

_LOCKS: dict[LockState, str] = {
    "server": "The server itself keeps the speakers to the cast.",
    "filter": "The server cannot be held to the cast: lines of others are left out as they come.",
    "off": "The model may bring in anybody.",
}


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """A message to the writer; its mood chooses the style on the page."""

    text: str
    mood: Literal["calm", "busy", "problem"] = "calm"

    @classmethod
    def problem(cls, error: UserError, kept: str = "") -> "StatusMessage":
        """Report an error, after the sentence on what was kept."""
        text = str(error)
        end = "" if text.endswith(("?", "!", ".")) else "."
        return cls(f"{kept} {text[:1].upper()}{text[1:]}{end}".strip(), "problem")

    @classmethod
    def waking(cls, seconds: float) -> "StatusMessage":
        """Report the wait for a server, in seconds so far."""
        return cls(
            f"Waiting for the server, {seconds:.0f} s so far. A GPU that was asleep is starting; "
            "usually 60-120 s.",
            "busy",
        )


NO_MESSAGE = StatusMessage("")

FAILED = StatusMessage("Something went wrong in the room itself; the scene is kept.", "problem")
"""The message after an exception that is a bug."""


def summarize(request: GenerationRequest, speakers: list[str], last: Progress) -> str:
    """Describe how a continuation ended, which required speakers are missing, what was left out.

    Args:
        speakers: The speaker of each of its lines.
        last: The last progress.
    """
    lines, model = count_lines(len(speakers)), request.provenance.model
    endings: dict[Ending, str] = {
        "enough": f"{lines} by {model}.",
        "finished": f"{model} ended the scene after {lines} of {request.lines}. Continue asks on.",
        "cut": f"{lines}; the next one ran too long for {model} and was left out.",
        "loop": (
            f"{lines}; then {model} began to repeat itself and was stopped. "
            f"Retake tries again, or write a line that changes the subject."
        ),
    }
    missing = [name for name in request.constraints.required if name not in speakers]
    silent = f" {' and '.join(missing)} did not speak." if missing else ""
    return endings[last.ending or "finished"] + silent + describe_left_out(last)


def describe_kept(count: int) -> str:
    """Say how many lines were kept."""
    return f"{count_lines(count)} kept."


def describe_left_out(last: Progress) -> str:
    """Say how much of the model's text was left out, and why."""
    text = ""
    if last.malformed:
        one = last.malformed == 1
        what = "piece of text that was no line" if one else "pieces of text that were no lines"
        text += f" {last.malformed} {what} left out."
    if last.filtered:
        text += f" {count_lines(last.filtered)} left out, of a speaker who may not speak here."
    return text


def count_lines(count: int) -> str:
    """Write a number of lines as the beginning of a sentence."""
    return "1 line" if count == 1 else f"{count or 'No'} lines"


def describe_speed(speed: Speed) -> str:
    """Write the speed in a few words; empty before the first line."""
    parts = []
    if speed.first_line is not None:
        parts.append(f"first line after {speed.first_line:.1f} s")
    if speed.rate is not None:
        parts.append(f"{'about ' if speed.estimated else ''}{speed.rate:.0f} tokens/s")
    return ", ".join(parts)


def describe_lock(state: LockState) -> str:
    """Explain what keeps the speakers to the cast."""
    return _LOCKS[state]
