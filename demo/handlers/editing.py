"""What the writer does to the scene by hand, each done at once and undone by one undo."""

from typing import Any

import gradio as gr

from demo.formats import export_scene
from demo.handlers.context import AppContext
from demo.scene.scene import SpeakerAndText
from demo.session.session import Session
from demo.ui.layout import STAGE_DIRECTION
from demo.ui.scene_form import SceneForm
from demo.ui.tab import Tab
from demo.ui.view import Updates
from nothing_gpt.errors import UserError


class EditingHandlers:
    """Handlers that change the scene without a model."""

    def __init__(self, floor: AppContext) -> None:
        self.floor = floor

    async def keep(self, visit: Tab, *fields: Any) -> Updates:
        """Take the direction over, without drawing its fields under the writer's typing."""
        return self.floor.act(visit, fields, lambda _: visit.session.forget_problem())

    async def redraw(self, visit: Tab, *fields: Any) -> Updates:
        """Show how things stand."""
        return self.floor.draw.view(visit, self.floor.desk(visit, fields))

    async def write(self, visit: Tab, *fields: Any) -> Updates:
        """Add the line that the writer composed; if it is none, give it back to be mended."""
        *rest, speaker, line = fields
        session, name = visit.session, None if speaker == STAGE_DIRECTION else speaker or ""
        update = self.floor.act(visit, rest, lambda desk: session.write(desk.show, name, line))
        if session.note.mood != "problem":
            return update
        return {**update, self.floor.parts.dock.line: line}

    async def act(self, event: gr.EventData, visit: Tab, *fields: Any) -> Updates:
        """Do what the writer did on the page."""
        what, session = event._data, visit.session
        redirect = what.get("deed") in ("open", "switch")
        return self.floor.act(
            visit, fields, lambda desk: apply_action(session, desk, what), redirect=redirect
        )

    async def surprise(self, visit: Tab, *fields: Any) -> Updates:
        """Begin with something unexpected."""
        return self.floor.act(
            visit,
            fields,
            lambda desk: visit.session.surprise(desk.show, self.floor.random),
            redirect=True,
        )

    async def undo(self, visit: Tab, *fields: Any) -> Updates:
        """Go back one step."""
        return self.floor.act(visit, fields, lambda _: visit.session.undo(), redirect=True)

    async def redo(self, visit: Tab, *fields: Any) -> Updates:
        """Go forward one step again."""
        return self.floor.act(visit, fields, lambda _: visit.session.redo(), redirect=True)

    async def export(self, event: gr.EventData, visit: Tab, *fields: Any) -> dict[str, str]:
        """Give the scene in one of the formats."""
        show, ending = self.floor.desk(visit, fields).show, str(event.ending)
        text = export_scene(visit.session.scene, ending, show.title)
        return {"name": f"{show.name}.{ending}", "text": text}


def apply_action(session: Session, desk: SceneForm, what: dict[str, Any]) -> None:
    """Do one deed of the page's.

    Raises:
        UserError: it cannot be done to the scene as it is now.
    """
    show = desk.show
    match what:
        case {"deed": "revise", "index": int(index), "was": was, "now": now}:
            session.revise(show, index, _words(was), _words(now))
        case {"deed": "insert", "index": int(index), "speaker": speaker, "text": str(text)}:
            session.insert(show, index, speaker, text)
        case {"deed": "move", "index": int(index), "was": was, "to": int(to)}:
            session.move(index, _words(was), to)
        case {"deed": "delete", "index": int(index), "was": was}:
            session.delete(index, _words(was))
        case {"deed": "open", "index": int(index)} if 0 <= index < len(show.prompt.openings):
            session.open(show.prompt.openings[index])
        case {"deed": "switch", "version": int(version)}:
            session.switch(version)
        case _:
            raise UserError("the page asked for what the room does not know; load it anew")


def _words(words: Any) -> SpeakerAndText:
    match words:
        case {"speaker": str() | None as speaker, "text": str(text)}:
            return speaker, text
        case _:
            raise UserError("the page sent no line; load it anew")
