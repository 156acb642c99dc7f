"""Speeches from screenplays, in Fountain or in Final Draft's FDX."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from data_prep.episode import NearMiss, Place, Reading, Speech
from data_prep.sources.source_files import SourceFile
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse
from script_formats.fdx import is_fdx, parse_fdx
from script_formats.fountain import parse_fountain
from script_formats.markup import remove_emphasis, remove_protection
from script_formats.screenplay import (
    Action,
    Comment,
    Cue,
    Dialogue,
    Element,
    Heading,
    Lyric,
    Note,
    PageBreak,
    Parenthetical,
    Screenplay,
    Section,
    Synopsis,
    Transition,
)

_PARENTHESIS = re.compile("([()])")


def read_screenplays(files: Sequence[SourceFile]) -> Reading:
    """Read the speeches of screenplays, one episode each.

    An episode's id is the title page's `Episode`, or else the file's name, with its folders if
    another file has the same name. A scene's setting is its heading. Its premise is its synopsis
    (`= ...` below the heading); without one, the episode's synopsis (above the first heading);
    without that, the episode's title. A file that is no screenplay is skipped and noted, if there
    are others.

    Raises:
        UserError: no file is a screenplay, or two files are the same episode.
    """
    screenplays: dict[str, tuple[SourceFile, Screenplay]] = {}
    skipped: dict[str, str] = {}
    left_out: Counter[str] = Counter()
    for file in files:
        try:
            screenplays[file.name] = (file, _parse(file))
        except UserError as error:
            skipped[file.name] = str(error)
    reader = _Reader()
    for name, episode in _name_episodes(screenplays).items():
        file, screenplay = screenplays[name]
        if any(isinstance(element, (Dialogue, Lyric)) for element in screenplay.elements):
            reader.read(file.name, screenplay, episode)
            continue
        left_out[name] = _count_lines(screenplay)
        skipped[name] = (
            f"{name}: no dialogue in it; in Fountain a speech is a name in capitals on a line of"
            " its own, after an empty line, and the words on the next"
        )
    reasons = [skipped[file.name] for file in files if file.name in skipped]
    if not reader.speeches:
        raise UserError("; ".join(reasons[:3]) or "no screenplay among the files")
    if left_out := +left_out:
        reader.left_out["in a file without a speech"] = left_out
    return Reading(
        reader.speeches,
        reader.settings,
        reader.directions,
        dict(reader.left_out),
        tuple(reader.near_misses),
        tuple(f"skipped {reason}" for reason in reasons),
    )


def _parse(file: SourceFile) -> Screenplay:
    text = file.text
    if not is_fdx(text):
        return parse_fountain(text)
    try:
        return parse_fdx(text)
    except UserError as error:
        raise UserError(f"{file.name}: {error}") from None


def _name_episodes(screenplays: dict[str, tuple[SourceFile, Screenplay]]) -> dict[str, str]:
    """Return the id of each file's episode, by the file's name."""
    stems = Counter(PurePosixPath(name).stem for name in screenplays)
    paths = Counter(
        str(PurePosixPath(file.path).with_suffix("")) for file, _ in screenplays.values()
    )
    owners: dict[str, str] = {}
    for name, (file, screenplay) in screenplays.items():
        episode = screenplay.find_title("episode") or PurePosixPath(name).stem
        if not screenplay.find_title("episode") and stems[episode] > 1:
            episode = str(PurePosixPath(file.path).with_suffix(""))
            episode = file.path if paths[episode] > 1 else episode
        if episode in owners:
            raise UserError(
                f"{name}: episode '{episode}' is also {owners[episode]}; give one of them another"
                " 'Episode:' on its title page"
            )
        owners[episode] = name
    return {name: episode for episode, name in owners.items()}


def _count_lines(screenplay: Screenplay) -> int:
    return sum(part.lines for part in (*screenplay.title_page, *screenplay.elements))


def _text(element: Element) -> str:
    match element:
        case PageBreak():
            return "==="
        case Cue(name):
            return name
        case _:
            return element.text


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


class _Reader:
    def __init__(self) -> None:
        self.speeches: list[Speech] = []
        self.settings = self.directions = 0
        self.left_out: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.near_misses: list[NearMiss] = []

    def read(self, file: str, screenplay: Screenplay, episode: str) -> None:
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
                case Dialogue(text) | Lyric(text) if cue and not _is_unsung(element):
                    scene = (premise.text or synopsis.text or title, setting)
                    place = Place(file, cue.line if unspoken else element.line)
                    lines = unspoken + element.lines
                    words = _flatten_asides(_to_words(text))
                    self.speeches.append(Speech(episode, cue.name, words, *scene, place, lines))
                    unspoken = 0
                    continue
                case Note() | Comment() | PageBreak() | Parenthetical():
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
                self._leave_out("words of nobody", text, element.lines)
            case Note(text):
                self._leave_out("note", text, element.lines)
            case Comment(text):
                self._leave_out("commented out", text, element.lines)
            case Section(text):
                self._leave_out("section of the outline", text, element.lines)
            case PageBreak():
                self._leave_out("page break", "===", element.lines)

    def _leave_out(self, reason: str, text: str, lines: int) -> None:
        if lines:
            self.left_out[reason][text] += lines


def _to_words(text: str) -> str:
    return remove_protection(remove_emphasis(text))


def _is_unsung(element: Element) -> bool:
    return isinstance(element, Lyric) and not element.in_speech


def _flatten_asides(text: str) -> str:
    """Make nested parentheses one, as cleaning removes a parenthesis up to the first that closes.

    A parenthesis that is not closed is none, so what it holds is not nested in it.
    """
    pieces = _PARENTHESIS.split(text)
    pairs: list[tuple[int, int]] = []
    opened: list[int] = []
    for place, piece in enumerate(pieces):
        if piece == "(":
            opened.append(place)
        elif piece == ")" and opened:
            pairs.append((opened.pop(), place))
    outer_end = -1
    for start, end in sorted(pairs):
        if end < outer_end:
            pieces[start] = pieces[end] = ""
        else:
            outer_end = end
    return "".join(pieces)
