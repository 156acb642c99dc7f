"""Speeches from screenplays in Fountain, the plain-text screenplay format."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from data_prep.episode import Reading, Speech
from data_prep.sources.source_files import SourceFile
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse
from script_formats.fountain import parse_fountain
from script_formats.markup import remove_emphasis
from script_formats.screenplay import (
    Cue,
    Dialogue,
    Heading,
    Lyric,
    Note,
    Parenthetical,
    Screenplay,
    Synopsis,
)


def read_fountain(files: Sequence[SourceFile]) -> Reading:
    """Read the speeches of screenplays, one episode each.

    An episode's id is the title page's `Episode`, or else the file's name. A scene's setting is
    its heading. Its premise is its synopsis (`= ...` below the heading); without one, the
    episode's synopsis (above the first heading); without that, the episode's title.

    Raises:
        UserError: a file is not UTF-8 or has no dialogue, or two files are the same episode.
    """
    speeches: list[Speech] = []
    names: dict[str, str] = {}
    for file in files:
        screenplay = parse_fountain(file.text)
        episode = screenplay.find_title("episode") or PurePosixPath(file.name).stem
        if episode in names:
            raise UserError(
                f"{file.name}: episode '{episode}' is also {names[episode]}; give one of them"
                " another 'Episode:' on its title page"
            )
        names[episode] = file.name
        found = list(_read_speeches(screenplay, episode))
        if not found:
            raise UserError(
                f"{file.name}: no dialogue in it; in Fountain a speech is a name in capitals on"
                " a line of its own, after an empty line, and the words on the next"
            )
        speeches.extend(found)
    return Reading(speeches)


def _read_speeches(screenplay: Screenplay, episode: str) -> Iterator[Speech]:
    title = screenplay.find_title("title")
    synopsis, premise, setting, character = "", "", "", ""
    for element in screenplay.elements:
        match element:
            case Heading(text):
                setting, premise, character = remove_emphasis(text), "", ""
            case Synopsis(text) if setting:
                premise = collapse(f"{premise} {remove_emphasis(text)}")
            case Synopsis(text):
                synopsis = collapse(f"{synopsis} {remove_emphasis(text)}")
            case Cue(name):
                character = name
            case Dialogue(text) | Lyric(text) if character:
                scene = (premise or synopsis or title, setting)
                yield Speech(episode, character, remove_emphasis(text), *scene)
            case Parenthetical() | Note():
                pass
            case _:
                character = ""
