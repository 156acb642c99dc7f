"""Speeches from files that are one episode each: screenplays, transcripts, subtitles."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from data_prep.episode import Reading
from data_prep.sources.content import ScriptFormat, choose_script
from data_prep.sources.screenplay_speeches import SpeechReader
from data_prep.sources.source_files import SourceFile
from data_prep.sources.texts.html import extract_lines
from data_prep.sources.texts.pdf import parse_pdf
from data_prep.sources.texts.subtitles import parse_subtitles
from data_prep.sources.texts.transcript import parse_transcript
from nothing_gpt.errors import UserError
from nothing_gpt.show import Corpus
from script_formats.fdx import parse_fdx
from script_formats.fountain import parse_fountain
from script_formats.screenplay import Cue, Screenplay

_PARSERS = {
    "fountain": parse_fountain,
    "fdx": parse_fdx,
    "transcript": parse_transcript,
    "subtitles": parse_subtitles,
}


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A file with its format."""

    file: SourceFile
    format: ScriptFormat


def read_screenplays(scripts: Sequence[ScriptFile], corpus: Corpus) -> tuple[Reading, list[str]]:
    """Read the speeches of screenplays, one episode each.

    An episode's id is the title page's `Episode`, or else the file's name, with its folders if
    another file has the same name. A scene's setting is its heading. Its premise is its synopsis
    (`= ...` below the heading); without one, the episode's synopsis (above the first heading);
    without that, the episode's title.

    Returns:
        The reading, and for each file without a speech in it the reason.

    Raises:
        UserError: two files are the same episode.
    """
    reader = SpeechReader()
    owners: dict[str, str] = {}
    left_out: Counter[str] = Counter()
    skipped: list[str] = []
    names = _Names(scripts)
    for script in scripts:
        name = script.file.name
        try:
            screenplay = _parse(script, corpus)
        except UserError as error:
            skipped.append(_add_name(name, error))
            continue
        if not any(isinstance(element, Cue) for element in screenplay.elements):
            left_out[name] = _count_lines(screenplay)
            skipped.append(f"{name}: {_NO_DIALOGUE}")
            continue
        episode = screenplay.find_title("episode") or names.find(script.file)
        if owner := owners.get(episode):
            raise UserError(
                f"{name}: episode '{episode}' is also {owner}; give one of them another"
                " 'Episode:' on its title page"
            )
        owners[episode] = name
        reader.read(name, screenplay, episode)
    if left_out := +left_out:
        reader.left_out["in a file without a speech"] = left_out
    reading = Reading(
        reader.speeches,
        reader.settings,
        directions=reader.directions,
        left_out=dict(reader.left_out),
        near_misses=tuple(reader.near_misses),
    )
    return reading, skipped


_NO_DIALOGUE = (
    "no dialogue in it; in Fountain a speech is a name in capitals on a line of its own, after an"
    " empty line, and the words on the next; in a transcript it is 'Name: words'"
)


def _parse(script: ScriptFile, corpus: Corpus) -> Screenplay:
    if script.format == "pdf":
        return parse_pdf(script.file.data)
    text = script.file.text
    if script.format == "html":
        lines = extract_lines(text)
        return _PARSERS[choose_script(lines, corpus)](lines)
    return _PARSERS[script.format](text)


def _add_name(name: str, error: UserError) -> str:
    message = str(error)
    return message if message.startswith(name) else f"{name}: {message}"


class _Names:
    """Names of episodes by the names of their files."""

    def __init__(self, scripts: Sequence[ScriptFile]) -> None:
        paths = [PurePosixPath(script.file.path) for script in scripts]
        self._stems = Counter(path.stem for path in paths)
        self._paths = Counter(str(path.with_suffix("")) for path in paths)

    def find(self, file: SourceFile) -> str:
        """Return a file's stem; with its folders and its suffix as far as others share it."""
        path = PurePosixPath(file.path)
        if self._stems[path.stem] == 1:
            return path.stem
        whole = str(path.with_suffix(""))
        return whole if self._paths[whole] == 1 else file.path


def _count_lines(screenplay: Screenplay) -> int:
    return sum(part.lines for part in (*screenplay.title_page, *screenplay.elements))
