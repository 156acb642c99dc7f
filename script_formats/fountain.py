"""A reader of Fountain, the plain-text format of screenplays: https://fountain.io/syntax.

The grammar is written out here rather than taken from the library screenplay-tools 0.0.10, whose
reader loses words (an open `[[` or `/*` takes the rest of the file, a lyric ends a speech), knows
no names but those that begin with A to Z, and takes cubic time for a long run of spaces. Every
step here takes time in proportion to the length of the text.
"""

import re

from nothing_gpt.line import collapse
from script_formats.fountain_elements import (
    is_page_break,
    is_transition,
    read_marked,
    read_unmarked,
)
from script_formats.fountain_lines import SourceLine, split_lines
from script_formats.near_misses import (
    describe_action,
    describe_open_mark,
    describe_speech,
    is_usual_title_key,
)
from script_formats.screenplay import (
    Action,
    Cue,
    Dialogue,
    Element,
    Lyric,
    NearMiss,
    PageBreak,
    Parenthetical,
    Screenplay,
    TitleEntry,
)

_TITLE_ENTRY = re.compile("([A-Za-z0-9 ]{1,40}):(.*)")

# A parenthetical on more lines than this is a speech that begins with an open parenthesis.
_MAX_PARENTHETICAL = 8


def parse_fountain(text: str) -> Screenplay:
    """Parse Fountain. Every text is valid: what nothing else matches is action.

    Inside a speech, up to the next empty line, a line is spoken however it begins; only a
    parenthetical, a lyric and a page break are there what they are elsewhere.
    """
    reader = _Reader(list(split_lines(text)))
    reader.read()
    return Screenplay(tuple(reader.elements), tuple(reader.title_page), tuple(reader.near_misses))


class _Reader:
    def __init__(self, lines: list[SourceLine]) -> None:
        self._lines = lines
        self._place = 0
        self._after_empty = True
        self.elements: list[Element] = []
        self.title_page: list[TitleEntry] = []
        self.near_misses: list[NearMiss] = []

    def read(self) -> None:
        self._read_title_page()
        in_speech = False
        while self._place < len(self._lines):
            line = self._lines[self._place]
            if line.removed:
                # Not an empty line: what stands around it belongs together.
                self.elements.extend(line.remarks)
                self._place += 1
            elif not line.text:
                in_speech = in_speech and line.continues
                self._after_empty = True
                self._place += 1
            elif in_speech and not self._starts_anew(line):
                self._read_speech(line)
            else:
                self.elements += [element := self._read_line(line), *line.remarks]
                in_speech = isinstance(element, Cue)
                self._after_empty = False
                self._place += 1

    def _read_title_page(self) -> None:
        """Read the entries at the start; without a usual key, they are no title page."""
        entries: list[tuple[str, SourceLine, list[str]]] = []
        place = 0
        for line in self._lines:
            match = _TITLE_ENTRY.fullmatch(line.text)
            if match and not is_transition(line.text):
                entries.append((match[1].strip(), line, [match[2]]))
            elif entries and line.text and line.indented:
                entries[-1][2].append(line.text)
            else:
                break
            place += 1
        if not any(is_usual_title_key(key) for key, _, _ in entries):
            return
        for key, line, texts in entries:
            text = collapse(" ".join(texts))
            self.title_page.append(TitleEntry(key, text, line=line.number, lines=len(texts)))
            if not is_usual_title_key(key):
                self._note(line, "a speech of a transcript, read as a part of the title page")
        for line in self._lines[:place]:
            self.elements.extend(line.remarks)
        self._place, self._after_empty = place, False

    def _starts_anew(self, line: SourceLine) -> bool:
        """Return whether a line after two spaces is more than the next line of the speech."""
        return self._after_empty and not (
            line.text[0] in "(~" or isinstance(self._classify(line), (Action, PageBreak))
        )

    def _classify(self, line: SourceLine) -> Element:
        return read_marked(line.text, line.number) or read_unmarked(
            line.text,
            line.number,
            after_empty=self._after_empty,
            before_text=self._find_text(1) != "",
        )

    def _find_text(self, distance: int) -> str:
        """Return a later line, "" for an empty one; lines of remarks only do not count."""
        place = self._place
        while distance and place < len(self._lines):
            place += 1
            while place < len(self._lines) and self._lines[place].removed:
                place += 1
            distance -= 1
        return self._lines[place].text if place < len(self._lines) else ""

    def _read_line(self, line: SourceLine) -> Element:
        element = self._classify(line)
        self._note(line, describe_open_mark(line.text))
        if isinstance(element, Action) and line.text[0] not in "!>":
            self._note(
                line,
                describe_action(
                    element.text,
                    after_empty=self._after_empty,
                    following=self._find_text(1),
                    further=self._find_text(2),
                ),
            )
        return element

    def _read_speech(self, line: SourceLine) -> None:
        """Read a parenthetical, a lyric, a page break, or lines of dialogue up to one of them."""
        self._after_empty = False
        start = self._place
        if count := self._measure_parenthetical(start):
            self._place += count
            text, lines = self._join_lines(start)
            element: Element = Parenthetical(text[1:-1].strip(), line=line.number, lines=lines)
        elif _is_lyric(line):
            self._place += 1
            element = Lyric(collapse(line.text[1:]), line=line.number)
        elif is_page_break(line.text):
            self._place += 1
            element = PageBreak(line=line.number)
        else:
            while self._continues_dialogue(start):
                self._place += 1
            text, lines = self._join_lines(start)
            element = Dialogue(text, line=line.number, lines=lines)
        self.elements.append(element)
        for taken in self._lines[start : self._place]:
            self.elements.extend(taken.remarks)

    def _continues_dialogue(self, start: int) -> bool:
        if self._place == len(self._lines):
            return False
        line = self._lines[self._place]
        if line.removed:
            return True
        if not line.text:
            return False
        if self._place > start and (
            _is_lyric(line) or is_page_break(line.text) or self._measure_parenthetical(self._place)
        ):
            return False
        self._note(line, describe_speech(line.text) or describe_open_mark(line.text))
        return True

    def _measure_parenthetical(self, start: int) -> int:
        """Return the number of lines of the parenthetical that starts there, 0 for none."""
        if self._lines[start].text[0] != "(":
            return 0
        depth = 0
        for count, line in enumerate(self._lines[start : start + _MAX_PARENTHETICAL], 1):
            if not (line.text or line.removed):
                break
            for place, character in enumerate(line.text, 1):
                depth += (character == "(") - (character == ")")
                if depth == 0:
                    return count if place == len(line.text) else 0
        return 0

    def _join_lines(self, start: int) -> tuple[str, int]:
        texts = [line.text for line in self._lines[start : self._place] if line.text]
        return collapse(" ".join(texts)), len(texts)

    def _note(self, line: SourceLine, reason: str) -> None:
        if reason:
            self.near_misses.append(NearMiss(line.number, collapse(line.text), reason))


def _is_lyric(line: SourceLine) -> bool:
    return line.text[0] == "~"
