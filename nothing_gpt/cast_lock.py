"""The cast lock: a regular expression that lets a model write script lines of chosen speakers.

A server that decodes under it cannot give a line that is none, nor one of somebody else. It holds
for what is generated alone: the scene so far stands in the prompt, and a continuation begins, as
in training, with the bracket of a new line. Only a request's limit of tokens ends a line early.
"""

from dataclasses import dataclass
from typing import Any

from nothing_gpt.errors import UserError
from nothing_gpt.line import is_name

# Spelt out, not \s, \w or \p{Cc}, which mean different things to Python, llguidance and xgrammar.
_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_SPACES = r" \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
# A line may be as long as the request's tokens allow. Counting its characters, as {0,639} does,
# costs llguidance 0.83 ms a token instead of 0.07 (a vocabulary of 100,256): every position is
# then a state of its own, with a mask of its own, and 32 streams wait for 27 ms in each step.
_TEXT = rf"[^{_CONTROLS}{_SPACES}][^{_CONTROLS}]*"


@dataclass(frozen=True, slots=True)
class CastLock:
    """Who may speak in a continuation, and for how many lines at most.

    Attributes:
        cast: The names that may stand between brackets, guests included.
        lines: Most lines; the model may end after fewer.
        first: Who speaks the first line, if that is settled.
        barred: Who of the cast stays silent.

    Raises:
        UserError: nobody may speak, `first` may not, a name is none, or there are no lines.
    """

    cast: tuple[str, ...]
    lines: int
    first: str | None = None
    barred: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.cast:
            if not is_name(name):
                raise UserError(f"'{name}' cannot be a character's name, such as MR. PITT")
        if self.lines < 1:
            raise UserError(f"a continuation of {self.lines} lines cannot be asked for")
        if not self.speakers:
            given = f"all of {', '.join(self.cast)} are barred" if self.cast else "no cast"
            raise UserError(f"nobody may speak ({given}); name somebody who does")
        if self.first is not None and not self.allows(self.first):
            raise UserError(
                f"'{self.first}' cannot speak first; those who may speak: "
                f"{', '.join(self.speakers)}"
            )

    @property
    def speakers(self) -> tuple[str, ...]:
        """Those who may speak, in the order of the cast."""
        return tuple(name for name in dict.fromkeys(self.cast) if name not in self.barred)

    def allows(self, name: str) -> bool:
        """Whether somebody may speak."""
        return name in self.speakers

    def regex(self) -> str:
        """Write the expression, in what the dialects of llguidance and xgrammar share.

        It matches from the first generated character to the last, one to `lines` lines
        `[NAME] text`. The last may end with a line break, which is how a model says that a speech
        is over; where none was allowed, last lines had five times the words of the others.
        """
        speakers = (self.first,) if self.first else self.speakers
        more = rf"(?:\n{_line(self.speakers)}){{0,{self.lines - 1}}}" if self.lines > 1 else ""
        return rf"{_line(speakers)}{more}\n?"

    def as_extra_body(self) -> dict[str, Any]:
        """Give what a request adds to its body, the `extra_body` of OpenAI's client."""
        return {"structured_outputs": {"regex": self.regex()}}


def _line(speakers: tuple[str, ...]) -> str:
    # Of all that a name can hold, only the full stop means something else to an expression.
    names = "|".join(name.replace(".", r"\.") for name in speakers)
    return rf"\[(?:{names})\] {_TEXT}"
