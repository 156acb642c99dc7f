"""The cast lock: a regular expression that limits a model to script lines of chosen speakers.

A server that decodes under this constraint generates script lines only, and only of these
speakers. The constraint applies to generated text: the scene so far is in the prompt, and a
continuation starts, as in training, with the bracket of a new line. Only a request's maximum of
tokens can end a line early.
"""

from dataclasses import dataclass
from typing import Any

from nothing_gpt.errors import UserError
from nothing_gpt.line import is_name

# Written out: \s, \w and \p{Cc} have different meanings in Python, llguidance and xgrammar.
_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_SPACES = r" \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
# The length of a line is not limited here, only by the request's tokens. A limit on characters, as
# {0,639}, takes llguidance 0.83 ms a token instead of 0.07 (vocabulary of 100,256): every position
# becomes a state with its own mask, which adds 27 ms to each step of 32 streams.
_TEXT = rf"[^{_CONTROLS}{_SPACES}][^{_CONTROLS}]*"


@dataclass(frozen=True, slots=True)
class CastLock:
    """The characters who can speak in a continuation, and the maximum of lines.

    Attributes:
        cast: The names that can be between the brackets, including guests.
        lines: Maximum number of lines; the model can end after fewer.
        first: The speaker of the first line; None leaves it to the model.
        barred: Members of the cast who do not speak.

    Raises:
        UserError: no speaker is left, `first` is not one of them, a name is invalid, or `lines` is
            less than 1.
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
            reason = f"all of {', '.join(self.cast)} are barred" if self.cast else "no cast"
            raise UserError(f"nobody may speak ({reason}); name somebody who does")
        if self.first is not None and not self.allows(self.first):
            raise UserError(
                f"'{self.first}' cannot speak first; those who may speak: "
                f"{', '.join(self.speakers)}"
            )

    @property
    def speakers(self) -> tuple[str, ...]:
        """The characters who can speak, in the order of the cast."""
        return tuple(name for name in dict.fromkeys(self.cast) if name not in self.barred)

    def allows(self, name: str) -> bool:
        """Return whether a character can speak."""
        return name in self.speakers

    def regex(self) -> str:
        """Return the expression, in the syntax that llguidance and xgrammar share.

        It matches the whole generated text: one to `lines` lines `[NAME] text`. The last line can
        end with a line break, which is how a model ends a speech. Without that, last lines had
        five times the words of the others.
        """
        speakers = (self.first,) if self.first else self.speakers
        more = rf"(?:\n{_line(self.speakers)}){{0,{self.lines - 1}}}" if self.lines > 1 else ""
        return rf"{_line(speakers)}{more}\n?"

    def as_extra_body(self) -> dict[str, Any]:
        """Return the fields that a request adds to its body: `extra_body` of OpenAI's client."""
        return {"structured_outputs": {"regex": self.regex()}}


def _line(speakers: tuple[str, ...]) -> str:
    # Of the characters that a name can contain, only the full stop is special in an expression.
    names = "|".join(name.replace(".", r"\.") for name in speakers)
    return rf"\[(?:{names})\] {_TEXT}"
