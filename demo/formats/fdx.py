"""A scene as FDX, the XML that Final Draft and most screenwriting programs exchange."""

import re

from screenplay_tools import screenplay
from screenplay_tools.fdx.parser import Parser
from screenplay_tools.fdx.writer import Writer

from demo.formats.screenplay import hide_marks, read_script
from demo.scene.scene import Scene
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse

# XML 1.0 has no way to write these, not even as references.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(scene: Scene, _title: str) -> str:
    """Write a scene: setting, speeches and stage directions."""
    script = screenplay.Script()
    if setting := collapse(scene.direction.setting):
        script.add_element(screenplay.SceneHeading(_writable(setting)))
    for entry in scene.entries:
        if entry.speaker is None:
            script.add_element(screenplay.Action(_writable(entry.text)))
            continue
        script.add_element(screenplay.Character(entry.speaker))
        script.add_element(screenplay.Dialogue(_writable(entry.text)))
    return str(Writer().write(script))


def read(text: str) -> Scene:
    """Read a screenplay, ours or another.

    Raises:
        UserError: it is no FDX.
    """
    # The library reads the rest of a file that has no such element as an empty script.
    if "<FinalDraft" not in text:
        raise UserError("this is no Final Draft file; is it the right one?")
    parser = Parser()
    try:
        parser.parse(text)
    except ValueError as error:
        raise UserError(f"this Final Draft file is damaged ({error})"[:200]) from None
    return read_script(parser.script)


def _writable(text: str) -> str:
    return hide_marks(_UNWRITABLE.sub("\ufffd", text))
