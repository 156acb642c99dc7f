"""Speeches from screenplays, in Fountain or in Final Draft's FDX."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from data_prep.episode import Reading
from data_prep.sources.screenplay_speeches import SpeechReader
from data_prep.sources.source_files import SourceFile
from nothing_gpt.errors import UserError
from script_formats.fdx import is_fdx, parse_fdx
from script_formats.fountain import parse_fountain
from script_formats.screenplay import Dialogue, Lyric, Screenplay


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
    reader = SpeechReader()
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
