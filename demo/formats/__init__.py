"""Export and import of scenes, as files that other programs read.

Only JSON keeps everything. Plain text, Fountain and FDX lose who wrote a line; FDX, as it
is written here, also loses the title, the premise and the characters who are present.
"""

from collections.abc import Callable
from dataclasses import dataclass

from demo.formats import episode_script, plain_text, scene_json, screenplay
from demo.formats.untrusted_text import check_text
from demo.scene.episode import Episode
from demo.scene.scene import Scene
from nothing_gpt.errors import UserError


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A file format: `write` takes a scene and a title, `read` a text.

    `read` raises a `UserError` if the text is not in this format. `write_episode` is None where a
    file has one scene.
    """

    name: str
    ending: str
    write: Callable[[Scene, str], str]
    read: Callable[[str], Scene]
    write_episode: Callable[[Episode], str] | None = None


FORMATS = (
    FileFormat(
        "Fountain",
        "fountain",
        screenplay.export_fountain,
        screenplay.import_fountain,
        episode_script.export_fountain,
    ),
    FileFormat(
        "Final Draft",
        "fdx",
        screenplay.export_fdx,
        screenplay.import_fdx,
        episode_script.export_fdx,
    ),
    FileFormat("Plain text", "txt", plain_text.write, plain_text.read, episode_script.export_text),
    FileFormat("JSON", "json", scene_json.write, scene_json.read),
)


def find_format(ending: str) -> FileFormat:
    """Find a format by the ending of its files' names.

    Raises:
        UserError: there is none; the message lists the known ones.
    """
    wanted = ending.strip().lower().removeprefix(".")
    found = next((each for each in FORMATS if each.ending == wanted), None)
    if found is None:
        known = ", ".join(f".{each.ending}" for each in FORMATS)
        raise UserError(
            f"files named .{wanted[:20]} cannot be read or written; these can: {known}"
        )
    return found


def export_scene(scene: Scene, ending: str, title: str) -> str:
    """Write a scene in the format with that ending.

    Raises:
        UserError: there is no such format.
    """
    return find_format(ending).write(scene, title)


def export_episode(episode: Episode, ending: str) -> str:
    """Write an episode as one script in the format with that ending.

    Raises:
        UserError: there is no such format, or it is not for episodes.
    """
    kind = find_format(ending)
    if kind.write_episode is None:
        raise UserError(f"{kind.name} is not for whole episodes; choose another format")
    return kind.write_episode(episode)


def import_scene(ending: str, text: str) -> Scene:
    """Read a scene from text in the format with that ending.

    Raises:
        UserError: there is no such format, the text is not in it, or it contains no scene.
    """
    kind = find_format(ending)
    scene = kind.read(check_text(text, f"this {kind.name} file"))
    if scene == Scene():
        raise UserError(f"this {kind.name} file holds no scene; is it the right one?")
    return scene
