"""How things stand, as values for the components of the page."""

from itertools import count
from typing import Any

import gradio as gr

from demo.desk import Desk
from demo.layout import STAGE_DIRECTION, Layout
from demo.page import render_growing, render_note, render_page
from demo.session import Session
from nothing_gpt.line import Line

Update = dict[Any, Any]
"""Components with their new values; those that are not in it stay as they are."""


class Drawing:
    """Draws a session on the components of the page."""

    def __init__(self, parts: Layout) -> None:
        self._parts = parts
        self._revisions = count(1)

    def direction(self, session: Session, desk: Desk) -> Update:
        """What the scene says of itself, in the fields that the model was trained on."""
        direction, names, carried = session.scene.direction, desk.show.names, desk.carried
        parts, has_cast = self._parts, "present" in carried
        present = [name for name in direction.present if name in names]
        guests = [name for name in direction.present if name not in names]
        return {
            parts.premise: gr.update(value=direction.premise, visible="premise" in carried),
            parts.setting: gr.update(value=direction.setting, visible="setting" in carried),
            parts.present: gr.update(choices=list(names), value=present, visible=has_cast),
            parts.guests: gr.update(value=", ".join(guests), visible=has_cast),
        }

    def view(self, session: Session, desk: Desk) -> Update:
        """Everything that shows the scene, and what can be done with it now."""
        parts, history, idle = self._parts, session.history, not session.writing
        speakers = [*desk.show.names, *history.scene.speakers, STAGE_DIRECTION]
        changing = [parts.proceed, parts.surprise, parts.start_over]
        return {
            **dict.fromkeys(changing, gr.update(interactive=idle)),
            **self.script(session, desk, None),
            parts.note: render_note(session.note),
            parts.speaker: gr.update(choices=list(dict.fromkeys(speakers))),
            parts.stop: gr.update(interactive=not idle),
            parts.retake: gr.update(interactive=idle and history.scene.last_take is not None),
            parts.undo: gr.update(interactive=idle and history.can_undo),
            parts.redo: gr.update(interactive=idle and history.can_redo),
        }

    def script(self, session: Session, desk: Desk, line: Line | None) -> Update:
        """The page, and the line that grows under it."""
        scene, editable = session.scene, not session.writing
        page = render_page(desk.show, scene, editable=editable, revision=next(self._revisions))
        return {self._parts.page: page, **self.growing(session, desk, line)}

    def growing(self, session: Session, desk: Desk, line: Line | None) -> Update:
        """The line that grows."""
        scene = session.scene
        drawn = render_growing(desk.show, scene, line, writing=session.writing)
        return {self._parts.growing: drawn}
