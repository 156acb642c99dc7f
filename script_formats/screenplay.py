"""The element model of a screenplay, independent of file formats and libraries.

Text is on one line: every run of white space is one space. It is otherwise as the file has it,
including Fountain's marks of emphasis; `script_formats.markup` removes those. An element can be
empty, for example a paragraph of FDX without words.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The place of an element in its file; it makes no difference to equality.

    Attributes:
        line: The number of its first line, or of its paragraph in FDX; 0 if it is not from a file.
        lines: How many lines of the file are part of it; empty ones do not count.
    """

    line: int = field(default=0, compare=False, repr=False)
    lines: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Heading(Placed):
    """A scene heading, such as INT. OFFICE - DAY; without its scene number."""

    text: str


@dataclass(frozen=True, slots=True)
class Synopsis(Placed):
    """A summary of the scene or of the episode; it is not performed."""

    text: str


@dataclass(frozen=True, slots=True)
class Action(Placed):
    """A stage direction."""

    text: str


@dataclass(frozen=True, slots=True)
class Cue(Placed):
    """The name above a speech, without extensions such as (V.O.) or (CONT'D).

    Attributes:
        dual: The speech stands beside the one before it: both are spoken at once.
    """

    name: str
    dual: bool = field(default=False, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Parenthetical(Placed):
    """A direction to the speaker inside a speech, without its parentheses."""

    text: str


@dataclass(frozen=True, slots=True)
class Dialogue(Placed):
    """What is said after a cue or a parenthetical.

    Attributes:
        in_speech: It belongs to the speech before it; if not, nobody knows who says it.
    """

    text: str
    in_speech: bool = field(default=True, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Lyric(Placed):
    """A line that is sung.

    Attributes:
        in_speech: It belongs to the speech before it; FDX does not say.
    """

    text: str
    in_speech: bool = field(default=True, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Transition(Placed):
    """A change of scene, such as CUT TO:."""

    text: str


@dataclass(frozen=True, slots=True)
class Section(Placed):
    """A heading of the outline; it is not performed."""

    text: str


@dataclass(frozen=True, slots=True)
class Note(Placed):
    """A remark for readers of the script. It follows the element that it was found in."""

    text: str


@dataclass(frozen=True, slots=True)
class Comment(Placed):
    """A passage that is commented out. It follows the element that it was found in."""

    text: str


@dataclass(frozen=True, slots=True)
class PageBreak(Placed):
    """A forced page break."""


@dataclass(frozen=True, slots=True)
class Mark(Placed):
    """A line of the file's form, such as a page number or the time of a subtitle."""

    text: str


Element = (
    Heading
    | Synopsis
    | Action
    | Cue
    | Parenthetical
    | Dialogue
    | Lyric
    | Transition
    | Section
    | Note
    | Comment
    | PageBreak
    | Mark
)


@dataclass(frozen=True, slots=True)
class TitleEntry(Placed):
    """One entry of the title page, such as Title or Author."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A line that looks like something else than what it was taken for.

    Attributes:
        reason: What it looks like, and what it was taken for.
    """

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Screenplay:
    """A screenplay: its title page, and its elements in order.

    Attributes:
        near_misses: Lines that look like something else than what they were taken for.
    """

    elements: tuple[Element, ...] = ()
    title_page: tuple[TitleEntry, ...] = ()
    near_misses: tuple[NearMiss, ...] = field(default=(), compare=False, repr=False)

    def find_title(self, key: str) -> str:
        """Return the text of a title page's entry, the last one of that key; "" without one."""
        texts = [entry.text for entry in self.title_page if entry.key.lower() == key.lower()]
        return texts[-1] if texts else ""
