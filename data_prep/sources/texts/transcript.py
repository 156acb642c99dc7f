"""Transcripts: `Name: words` on a line, settings and stage directions in brackets."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nothing_gpt.line import Line, collapse, parse_line
from script_formats.cues import looks_like_name, read_cue_name
from script_formats.fountain_elements import is_heading
from script_formats.markup import remove_emphasis
from script_formats.near_misses import is_usual_title_key
from script_formats.screenplay import (
    Action,
    Cue,
    Dialogue,
    Element,
    Heading,
    NearMiss,
    Parenthetical,
    Screenplay,
    Synopsis,
    TitleEntry,
)

_MAX_WORDS = 5
_LABEL = re.compile(
    r"""(?P<name>[^\W_]["'’“”.]?[^:()\[\]]{0,38})  # at most 40 characters
        [ ]?(?:[(\[](?P<aside>[^()\[\]]{0,200})[)\]])?[ ]?:(?:\ |$)(?P<words>.*)""",
    re.VERBOSE,
)
_BRACKETED = re.compile(r"\[([^\[\]]*)\]|\(([^()]*)\)")
_SETTING = re.compile(r"(?:scene|setting|location)\b[\s:.,\-–—]*", re.IGNORECASE)
_SETTING_KEYS = frozenset(["scene", "setting", "location"])
_PREMISE_KEYS = frozenset(["premise", "synopsis", "summary"])
_SMALL_WORDS = frozenset(
    ["a", "an", "and", "at", "by", "de", "der", "di", "from", "in", "la", "le", "of", "on", "the",
     "to", "van", "von", "with"]
)  # fmt: skip

_SAMPLE = 200_000  # characters that show whether a text is a transcript
_SHARE = 0.1
"""The share of lines with a label that makes a text a transcript, not one with a few notes."""


@dataclass(frozen=True, slots=True)
class Label:
    """The start of a line such as `ANN (laughing): words`."""

    name: str
    aside: str
    words: str

    @property
    def is_capitalised(self) -> bool:
        """Whether every word of the name that is not a small one has a capital or a digit."""
        words = [word for word in self.name.split() if word.lower() not in _SMALL_WORDS]
        return bool(words) and all(not word.strip("\"'“”‘’&#")[:1].islower() for word in words)


def read_label(text: str) -> Label | None:
    """Read the label of a line, None without one."""
    parsed = parse_line(text) if text[:1] == "[" else None
    if isinstance(parsed, Line):
        return Label(parsed.speaker, "", parsed.text)
    match = _LABEL.match(remove_emphasis(text))
    if not match or len(match["name"].split()) > _MAX_WORDS:
        return None
    return Label(match["name"].strip(), collapse(match["aside"] or ""), match["words"].strip())


def is_transcript(text: str) -> bool:
    """Return whether a text is a transcript rather than a screenplay."""
    labels = cues = lines = 0
    lower: Counter[str] = Counter()
    after_empty, below_cue = True, False
    for line in map(str.strip, text[:_SAMPLE].splitlines()):
        lines += bool(line)
        if not line:
            after_empty, below_cue = True, False
        elif below_cue:
            pass
        elif (label := read_label(line)) and _starts_speech(label):
            labels += label.is_capitalised
            lower[label.name] += not label.is_capitalised
        elif after_empty and looks_like_name(read_cue_name(line)) and not is_heading(line):
            cues += 1
            below_cue = True
        after_empty = not line
    labels += sum(count for count in lower.values() if count > 1)
    return labels > cues and labels >= _SHARE * lines


def _starts_speech(label: Label) -> bool:
    """Return whether a label is no cue and none of a title page or of a setting."""
    if is_usual_title_key(label.name):
        return False
    is_setting = label.name.lower() in _SETTING_KEYS | _PREMISE_KEYS
    return not is_setting and bool(label.words or not looks_like_name(label.name))


def parse_transcript(text: str) -> Screenplay:
    """Parse a transcript. Every text is valid: what nothing else matches is action.

    A name in lower case counts if it labels two lines or more. A line without a label goes on
    with the speech of the line before it, and is action after an empty line.
    """
    return _Reader([collapse(line) for line in text.splitlines()]).read()


class _Reader:
    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._labels = [read_label(line) if line else None for line in lines]
        self._counts = Counter(label.name.casefold() for label in self._labels if label)
        self._elements: list[Element] = []
        self._title_page: list[TitleEntry] = []
        self._near_misses: list[NearMiss] = []

    def read(self) -> Screenplay:
        in_speech = False
        for number, (line, label) in enumerate(zip(self._lines, self._labels, strict=True), 1):
            if not line:
                in_speech = False
            elif label and self._read_title(label, number):
                pass
            elif element := _read_setting(line, label, number):
                self._elements.append(element)
                in_speech = False
            elif label and self._is_speaker(label):
                self._elements += _begin_speech(label, number)
                in_speech = True
            elif bracketed := _BRACKETED.fullmatch(line):
                inner = (bracketed[1] or bracketed[2] or "").strip() or line
                kind = Parenthetical if in_speech else Action
                self._elements.append(kind(inner, line=number))
            elif in_speech:
                self._continue_speech(line, number)
            else:
                self._elements.append(Action(line, line=number))
                self._note(line, label, number)
        return Screenplay(tuple(self._elements), tuple(self._title_page), tuple(self._near_misses))

    def _read_title(self, label: Label, number: int) -> bool:
        """Read an entry of a title page; there is none below the first other line."""
        if self._elements or not is_usual_title_key(label.name) or not label.words:
            return False
        self._title_page.append(TitleEntry(label.name, label.words, line=number))
        return True

    def _is_speaker(self, label: Label) -> bool:
        return label.is_capitalised or self._counts[label.name.casefold()] > 1

    def _continue_speech(self, line: str, number: int) -> None:
        last = self._elements[-1]
        if isinstance(last, Dialogue):
            text, lines = f"{last.text} {line}", last.lines + 1
            self._elements[-1] = Dialogue(text, line=last.line, lines=lines)
        else:
            self._elements.append(Dialogue(line, line=number))

    def _note(self, line: str, label: Label | None, number: int) -> None:
        if label:
            reason = "a speech, but its name has no capital, read as a stage direction"
        elif looks_like_name(line) and number < len(self._lines) and self._lines[number]:
            reason = "a cue of a screenplay, read as a stage direction"
        else:
            return
        self._near_misses.append(NearMiss(number, line, reason))


def _read_setting(line: str, label: Label | None, number: int) -> Heading | Synopsis | None:
    bracketed = _BRACKETED.fullmatch(line)
    inner = (bracketed[1] or bracketed[2] or "").strip() if bracketed else ""
    if match := _SETTING.match(inner):
        return Heading(inner[match.end() :] or inner, line=number)
    if label and label.words and label.name.lower() in _SETTING_KEYS:
        return Heading(label.words, line=number)
    if label and label.words and label.name.lower() in _PREMISE_KEYS:
        return Synopsis(label.words, line=number)
    return Heading(line, line=number) if is_heading(line) and not label else None


def _begin_speech(label: Label, number: int) -> Iterator[Element]:
    yield Cue(read_cue_name(label.name), line=number, lines=0 if label.words else 1)
    if label.aside:
        yield Parenthetical(label.aside, line=number, lines=0)
    if label.words:
        yield Dialogue(label.words, line=number)
