"""Subtitles in SubRip (SRT) and WebVTT, with the speakers that they name.

The reader is written out here: pysubs2 1.8.1 takes the style sheets of WebVTT for words, and
loses its voices (`<v Ann>`) and the numbers of lines.
"""

import re
from collections.abc import Sequence
from html import unescape

from data_prep.sources.texts.transcript import read_label
from nothing_gpt.line import collapse
from script_formats.cues import read_cue_name
from script_formats.screenplay import (
    Action,
    Cue,
    Dialogue,
    Element,
    Mark,
    Note,
    Parenthetical,
    Screenplay,
)

_TIME = re.compile(r"(?:\d{1,3}:)?\d{1,2}:\d{1,2}[,.]\d{1,3}\s*-->\s*(?:\d{1,3}:)?\d{1,2}:\d{1,2}")
_VOICE = re.compile(r"<v(?:\.[^\s<>]{0,100})? ([^<>]{1,100})>")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|<[0-9:.]{5,20}>|\{[\\][^{}]{0,200}\}")
_DASH = re.compile(r"[-–—‐]{1,2}\s?(?=\S)")
_SOUND = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|[♪♫#*].*|.*[♪♫]")
_END = re.compile(r"[.!?…:][\"'”’)\]]*$")


def is_subtitles(text: str) -> bool:
    """Return whether a text is subtitles, by its first lines."""
    start = text[:4096].lstrip()
    return start.startswith("WEBVTT") or any(
        _TIME.match(line.strip()) for line in start.splitlines()[:4]
    )


def parse_subtitles(text: str) -> Screenplay:
    """Parse subtitles.

    A speaker is a voice (`<v Ann>`) or a label (`ANN: words`). Words without one belong to the
    speaker of the subtitle before only if they go on with its sentence, in lower case.
    """
    reader = _Reader()
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*map(str.strip, text.splitlines()), ""], 1):
        if line:
            block.append((number, line))
        elif block:
            reader.read_block(block)
            block = []
    return Screenplay(tuple(reader.elements))


class _Reader:
    def __init__(self) -> None:
        self.elements: list[Element] = []
        self._speaker = ""
        self._goes_on = False  # the last words do not end a sentence

    def read_block(self, block: Sequence[tuple[int, str]]) -> None:
        place = next((i for i, (_, line) in enumerate(block) if _TIME.match(line)), -1)
        first = block[0][1]
        if place < 0 and first.startswith("NOTE"):
            self.elements += [Note(line, line=number) for number, line in block]
            return
        if place < 0 and first.startswith(("WEBVTT", "STYLE", "REGION")):
            self.elements += [Mark(line, line=number) for number, line in block]
            return
        self.elements += [Mark(line, line=number) for number, line in block[: place + 1]]
        following = _TAG.sub("", block[place + 1][1]) if place + 1 < len(block) else ""
        if not (self._goes_on and following[:1].islower()):
            self._speaker = ""
        for number, line in block[place + 1 :]:
            self._read_line(line, number)

    def _read_line(self, line: str, number: int) -> None:
        voice = _VOICE.search(line)
        words = collapse(unescape(_TAG.sub("", line)))
        if dash := _DASH.match(words):
            words, self._speaker = words[dash.end() :], ""
        label = None if voice else read_label(words)
        if voice:
            self._begin(voice[1], "", number)
        elif label and label.is_capitalised and label.name[0] != "[":
            has_words = bool(label.words)
            self._begin(label.name, label.aside, number, lines=0 if has_words else 1)
            words = label.words
            if not has_words:
                self._goes_on = True
                return
        if not words:
            self.elements.append(Mark(line, line=number))
        elif _SOUND.fullmatch(words) and not voice and not label:
            self.elements.append(Action(words, line=number))
        else:
            self._say(words, number)

    def _begin(self, name: str, aside: str, number: int, *, lines: int = 0) -> None:
        self._speaker = read_cue_name(name)
        self.elements.append(Cue(self._speaker, line=number, lines=lines))
        if aside:
            self.elements.append(Parenthetical(aside, line=number, lines=0))

    def _say(self, words: str, number: int) -> None:
        last, known = self.elements[-1], bool(self._speaker)
        lines = 1
        if isinstance(last, Dialogue) and last.in_speech is known:
            self.elements.pop()
            words, number, lines = f"{last.text} {words}", last.line, last.lines + 1
        self.elements.append(Dialogue(words, line=number, lines=lines, in_speech=known))
        self._goes_on = known and not _END.search(words)
