"""Handlers for the edits that a writer makes. Each edit is one step of undo."""

from typing import Any

import gradio as gr

from demo.formats import export_scene
from demo.handlers.context import AppContext
from demo.scene.scene import SpeakerAndText
from demo.session.session import Session
from demo.ui.forms import FieldValues
from demo.ui.gradio_patch import read_event
from demo.ui.layout import STAGE_DIRECTION
from demo.ui.view import Updates
from nothing_gpt.errors import UserError
from nothing_gpt.show import Show


class EditingHandlers:
    """Handlers that change the scene without a model."""

    def __init__(self, context: AppContext) -> None:
        self.context = context

    async def save_direction(self, values: FieldValues) -> Updates:
        """Save the direction without updating its fields, in which the writer can be typing."""
        session = self.context.read_tab(values).session
        return self.context.edit(values, lambda _: session.clear_problem())

    async def refresh(self, values: FieldValues) -> Updates:
        """Show the scene again."""
        tab, form = self.context.read_tab(values), self.context.read_form(values)
        return self.context.view.show_scene(tab, form)

    async def add_line(self, values: FieldValues) -> Updates:
        """Add the composed line; an invalid one goes back into the composer."""
        layout, session = self.context.layout, self.context.read_tab(values).session
        speaker, line = values[layout.composer.speaker], values[layout.submitted]
        name = None if speaker == STAGE_DIRECTION else speaker or ""
        update = self.context.edit(values, lambda form: session.write(form.show, name, line))
        if session.status.mood != "problem":
            return update
        return {**update, layout.composer.line: line}

    async def apply_page_action(self, event: gr.EventData, values: FieldValues) -> Updates:
        """Do what the writer did on the page."""
        action, session = read_event(event), self.context.read_tab(values).session
        return self.context.edit(
            values,
            lambda form: apply_action(session, form.show, action),
            show_direction=action.get("deed") in ("open", "switch"),
        )

    async def surprise(self, values: FieldValues) -> Updates:
        """Start a new scene with a random opening or premise."""
        session, random = self.context.read_tab(values).session, self.context.random
        return self.context.edit(
            values, lambda form: session.surprise(form.show, random), show_direction=True
        )

    async def undo(self, values: FieldValues) -> Updates:
        """Undo one step."""
        session = self.context.read_tab(values).session
        return self.context.edit(values, lambda _: session.undo(), show_direction=True)

    async def redo(self, values: FieldValues) -> Updates:
        """Redo one step."""
        session = self.context.read_tab(values).session
        return self.context.edit(values, lambda _: session.redo(), show_direction=True)

    async def export(self, event: gr.EventData, values: FieldValues) -> dict[str, str]:
        """Write the scene in a format, for the browser to save."""
        show, ending = self.context.read_form(values).show, str(event.ending)
        text = export_scene(self.context.read_tab(values).session.scene, ending, show.title)
        return {"name": f"{show.name}.{ending}", "text": text}


def apply_action(session: Session, show: Show, action: dict[str, Any]) -> None:
    """Do one action of the page.

    Args:
        action: Its name under "deed", and its arguments.

    Raises:
        UserError: the action is not possible in the current scene.
    """
    match action:
        case {"deed": "revise", "index": int(index), "was": was, "now": now}:
            session.revise(show, index, _read_words(was), _read_words(now))
        case {"deed": "insert", "index": int(index), "speaker": speaker, "text": str(text)}:
            session.insert(show, index, speaker, text)
        case {"deed": "move", "index": int(index), "was": was, "to": int(to)}:
            session.move(index, _read_words(was), to)
        case {"deed": "delete", "index": int(index), "was": was}:
            session.delete(index, _read_words(was))
        case {"deed": "open", "index": int(index)} if 0 <= index < len(show.prompt.openings):
            session.start_from(show.prompt.openings[index])
        case {"deed": "switch", "version": int(version)}:
            session.switch(version)
        case _:
            raise UserError("the page asked for what the room does not know; load it anew")


def _read_words(words: Any) -> SpeakerAndText:
    match words:
        case {"speaker": str() | None as speaker, "text": str(text)}:
            return speaker, text
        case _:
            raise UserError("the page sent no line; load it anew")
