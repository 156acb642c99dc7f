"""Reads speeches from screenplays in Fountain, the plain-text screenplay format."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from screenplay_tools.fountain.parser import Parser
from screenplay_tools.screenplay import Character, ElementType, Script

from data_prep.episode import Reading, Speech
from data_prep.sources.source_files import SourceFile
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse

# Where notes and cut passages stood, screenplay-tools leaves numbered marks.
_MARK = re.compile(r"\[\[\d+\]\]|/\*\d+\*/")
_EMPHASIS = re.compile(r"(?<!\\)(\*{1,3}|(?<!\w)_)(?=\S)(.+?)(?<=[^\s\\])\1")
_ESCAPED = re.compile(r"\\([*_])")


def read_fountain(files: Sequence[SourceFile]) -> Reading:
    """Read the speeches of screenplays, one episode each.

    The title page's `Episode` is the episode's id, else the file's name. A scene's premise is
    its synopsis (`= ...` below the heading), else the episode's (above the first heading), else
    its title; its setting is the heading.

    Raises:
        UserError: a file is not UTF-8 or holds no dialogue, or two files are the same episode.
    """
    speeches: list[Speech] = []
    names: dict[str, str] = {}
    for file in files:
        script = _parse(file.text)
        title_page = {entry.key.strip().lower(): entry.text for entry in script.titleEntries}
        episode = collapse(title_page.get("episode", "")) or PurePosixPath(file.name).stem
        if episode in names:
            raise UserError(
                f"{file.name}: episode '{episode}' is also {names[episode]}; give one of them"
                " another 'Episode:' on its title page"
            )
        names[episode] = file.name
        found = list(_speeches(script, episode, collapse(title_page.get("title", ""))))
        if not found:
            raise UserError(
                f"{file.name}: no dialogue in it; in Fountain a speech is a name in capitals on"
                " a line of its own, after an empty line, and the words on the next"
            )
        speeches.extend(found)
    return Reading(speeches)


def _parse(text: str) -> Script:
    parser = Parser()
    parser.add_text(text)
    return parser.script


def _speeches(script: Script, episode: str, title: str) -> Iterator[Speech]:
    synopsis, premise, setting, character = "", "", "", ""
    for element in script.elements:
        text = _plain(element.text_raw)
        match element.type:
            case ElementType.HEADING:
                setting, premise, character = text, "", ""
            case ElementType.SYNOPSIS if setting:
                premise = collapse(f"{premise} {text}")
            case ElementType.SYNOPSIS:
                synopsis = collapse(f"{synopsis} {text}")
            case ElementType.CHARACTER if isinstance(element, Character):
                character = element.name
            case ElementType.DIALOGUE | ElementType.LYRIC if character:
                given = premise or synopsis or title
                yield Speech(episode, character, text, given, setting)
            case ElementType.PARENTHETICAL:
                pass
            case _:
                character = ""


def _plain(text: str) -> str:
    """Take marks and emphasis out of Fountain text, and put it on one line."""
    text = collapse(_MARK.sub("", text))
    while (plain := _EMPHASIS.sub(r"\2", text)) != text:
        text = plain
    return _ESCAPED.sub(r"\1", text)
