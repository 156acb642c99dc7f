"""Scenes to take away and to bring in, as files that other programs read.

What each cannot hold: plain text, Fountain and FDX know not who wrote a line; FDX, as the library
writes it, has no place for title, premise and those who are present. JSON holds everything.
"""

from collections.abc import Callable
from dataclasses import dataclass

from demo.formats import fdx, fountain
from demo.formats import plain_text as plain
from demo.formats import scene_json as provenance
from demo.formats.untrusted_text import check_text
from demo.scene.scene import Scene
from nothing_gpt.errors import UserError


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A kind of file: `write` takes a scene and a title, `read` a text.

    `read` raises a `UserError` where the text is no such file.
    """

    name: str
    ending: str
    mime: str
    write: Callable[[Scene, str], str]
    read: Callable[[str], Scene]


FORMATS = (
    FileFormat("Fountain", "fountain", "text/plain", fountain.write, fountain.read),
    FileFormat("Final Draft", "fdx", "application/xml", fdx.write, fdx.read),
    FileFormat("Plain text", "txt", "text/plain", plain.write, plain.read),
    FileFormat("JSON", "json", "application/json", provenance.write, provenance.read),
)


def find_format(ending: str) -> FileFormat:
    """Find a format by how its files' names end.

    Raises:
        UserError: there is none; the message lists those there are.
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
    """Write a scene as a file of the format with that ending.

    Raises:
        UserError: there is no such format.
    """
    return find_format(ending).write(scene, title)


def import_scene(ending: str, text: str) -> Scene:
    """Read a scene from a file of the format with that ending.

    Raises:
        UserError: there is no such format, or the text is no such file or holds no scene.
    """
    kind = find_format(ending)
    scene = kind.read(check_text(text, f"this {kind.name} file"))
    if scene == Scene():
        raise UserError(f"this {kind.name} file holds no scene; is it the right one?")
    return scene
