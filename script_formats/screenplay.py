"""The element model of a screenplay, independent of file formats and libraries.

Text is on one line: every run of white space is one space. It is otherwise as the file has it,
including Fountain's marks of emphasis; `script_formats.markup` removes those. An element can be
empty, for example an action line that consisted of a note.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """A scene heading, such as INT. OFFICE - DAY; without its scene number."""

    text: str


@dataclass(frozen=True, slots=True)
class Synopsis:
    """A summary of the scene or of the episode; it is not performed."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """A stage direction."""

    text: str


@dataclass(frozen=True, slots=True)
class Cue:
    """The name above a speech, without extensions such as (V.O.) or (CONT'D)."""

    name: str


@dataclass(frozen=True, slots=True)
class Parenthetical:
    """A direction to the speaker inside a speech, without its parentheses."""

    text: str


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What is said after a cue or a parenthetical."""

    text: str


@dataclass(frozen=True, slots=True)
class Lyric:
    """A line that is sung."""

    text: str


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of scene, such as CUT TO:."""

    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the outline; it is not performed."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A remark for readers of the script. It follows the element that it was found in."""

    text: str


@dataclass(frozen=True, slots=True)
class PageBreak:
    """A forced page break."""


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
    | PageBreak
)


@dataclass(frozen=True, slots=True)
class TitleEntry:
    """One entry of the title page, such as Title or Author."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Screenplay:
    """A screenplay: its title page, and its elements in order."""

    elements: tuple[Element, ...] = ()
    title_page: tuple[TitleEntry, ...] = ()

    def find_title(self, key: str) -> str:
        """Return the text of a title page's entry, the last one of that key; "" without one."""
        texts = [entry.text for entry in self.title_page if entry.key.lower() == key.lower()]
        return texts[-1] if texts else ""
