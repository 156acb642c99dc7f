"""Speeches of a screenplay, with a count of every line that is none."""

from collections import Counter, defaultdict

from data_prep.episode import NearMiss, Speech
from nothing_gpt.line import collapse
from script_formats.markup import remove_emphasis, remove_protection
from script_formats.screenplay import (
    Action,
    Comment,
    Cue,
    Dialogue,
    Element,
    Heading,
    Lyric,
    Mark,
    Note,
    PageBreak,
    Parenthetical,
    Screenplay,
    Section,
    Synopsis,
    Transition,
)


class _Synopsis:
    """The lines of a synopsis, joined when they are asked for."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._text = ""

    def add(self, line: str) -> None:
        self._lines.append(line)

    @property
    def text(self) -> str:
        if self._lines:
            self._text = collapse(" ".join([self._text, *self._lines]))
            self._lines.clear()
        return self._text


class SpeechReader:
    """Reads the speeches of screenplays, and counts all other lines by their kind."""

    def __init__(self) -> None:
        self.speeches: list[Speech] = []
        self.settings = self.directions = 0
        self.left_out: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.near_misses: list[NearMiss] = []

    def read(self, file: str, screenplay: Screenplay, episode: str) -> None:
        """Read a screenplay; messages call it `file`."""
        for entry in screenplay.title_page:
            self._leave_out("title page", f"{entry.key}: {entry.text}", entry.lines)
        self.near_misses += [
            NearMiss(file, miss.line, miss.text, f"looks like {miss.reason}")
            for miss in screenplay.near_misses
        ]
        self._read_elements(file, screenplay, episode)

    def _read_elements(self, file: str, screenplay: Screenplay, episode: str) -> None:
        title = screenplay.find_title("title")
        synopsis, premise, setting = _Synopsis(), _Synopsis(), ""
        cue: Cue | None = None
        unspoken = 0  # lines of the cue, until the first words below it
        for element in screenplay.elements:
            match element:
                case _ if not _text(element):
                    self._leave_out("a mark without words", "", element.lines)
                    continue
                case Dialogue(text) | Lyric(text) if cue and not _has_no_speaker(element):
                    scene = (premise.text or synopsis.text or title, setting)
                    start = cue.line if unspoken else element.line
                    lines = unspoken + element.lines
                    words = _to_words(text)
                    self.speeches.append(
                        Speech(episode, cue.name, words, *scene, file, start, lines)
                    )
                    unspoken = 0
                    continue
                case Note() | Comment() | PageBreak() | Mark() | Parenthetical():
                    self._count(element)
                    continue
                case Heading(text):
                    setting, premise = _to_words(text), _Synopsis()
                case Synopsis(text) if setting:
                    premise.add(_to_words(text))
                case Synopsis(text):
                    synopsis.add(_to_words(text))
            if cue and unspoken:
                self._leave_out("a cue without a speech", cue.name, unspoken)
            cue = element if isinstance(element, Cue) else None
            unspoken = cue.lines if cue else 0
            self._count(element)
        if cue and unspoken:
            self._leave_out("a cue without a speech", cue.name, unspoken)

    def _count(self, element: Element) -> None:
        """Count the lines of everything but cues and speeches."""
        match element:
            case Heading() | Synopsis():
                self.settings += element.lines
            case Action() | Parenthetical() | Transition():
                self.directions += element.lines
            case Dialogue(text) | Lyric(text):
                self._leave_out("words without a speaker", text, element.lines)
            case Note(text):
                self._leave_out("note", text, element.lines)
            case Comment(text):
                self._leave_out("commented out", text, element.lines)
            case Section(text):
                self._leave_out("section of the outline", text, element.lines)
            case PageBreak():
                self._leave_out("page break", "===", element.lines)
            case Mark(text):
                self._leave_out("page number, time or other mark", text, element.lines)

    def _leave_out(self, reason: str, text: str, lines: int) -> None:
        if lines:
            self.left_out[reason][text] += lines


def _to_words(text: str) -> str:
    return remove_protection(remove_emphasis(text))


def _has_no_speaker(element: Element) -> bool:
    """Return whether words belong to no speech."""
    return isinstance(element, (Dialogue, Lyric)) and not element.in_speech


def _text(element: Element) -> str:
    match element:
        case PageBreak():
            return "==="
        case Cue(name):
            return name
        case _:
            return element.text
