"""Handlers for the edits that a writer makes. Each edit is one step of undo."""

import asyncio
import re
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import gradio as gr

from demo.formats import export_episode, export_scene, import_scene
from demo.generation.summary import StatusMessage
from demo.handlers.context import AppContext
from demo.scene.episode import Episode
from demo.scene.replacement import Substitution
from demo.scene.scene import Entry, EntryForm, Scene, SpeakerAndText
from demo.session.session import Session
from demo.ui.forms import FieldValues, SceneForm
from demo.ui.gradio_patch import read_event
from demo.ui.layout import STAGE_DIRECTION
from demo.ui.page_action import PageAction
from demo.ui.tab import Tab
from demo.ui.view import Updates
from nothing_gpt.errors import UserError
from nothing_gpt.records import decode
from nothing_gpt.show import Show

SHOWING_DIRECTION = ("open", "switch", "undo", "redo", "surprise", "choose", "rename")
"""Actions that can replace the direction, so that its fields must be updated."""


@dataclass(frozen=True, slots=True)
class _Conversion:
    form: EntryForm


class EditingHandlers:
    """Handlers that change the scene without a model."""

    def __init__(self, context: AppContext) -> None:
        self.context = context

    async def refresh(self, values: FieldValues) -> Updates:
        """Show the scene again to a page that can have missed what was shown before."""
        tab, form = self._read(values)
        tab.names_shown = None
        return self.context.view.show_scene(tab, form)

    async def apply_page_action(self, event: gr.EventData, values: FieldValues) -> Updates:
        """Do what the writer did on the page."""
        if read_event(event).get("deed") == "import":
            return await self._import(event, values)
        session, random = self.context.read_tab(values).session, self.context.random
        return self.context.edit(
            event,
            values,
            lambda form, action: apply_action(session, form.show, action.fields, random),
            show_direction=read_event(event).get("deed") in SHOWING_DIRECTION,
        )

    async def _import(self, event: gr.EventData, values: FieldValues) -> Updates:
        session, fields = self.context.read_tab(values).session, read_event(event)
        name = str(fields.get("name"))
        # In a thread, so that a long script does not block the other pages.
        ending = name.rpartition(".")[2].lower()
        reading = asyncio.to_thread(import_scene, ending, str(fields.get("text")))
        (read,) = await asyncio.gather(reading, return_exceptions=True)

        def change(_form: SceneForm, _action: PageAction) -> None:
            if isinstance(read, BaseException):
                raise read
            session.replace_scene(read)
            count = len(read.entries)
            session.status = StatusMessage(f"{name}: {count} {'line' if count == 1 else 'lines'}.")

        return self.context.edit(event, values, change, show_direction=True)

    async def export(self, event: gr.EventData, values: FieldValues) -> Updates:
        """Write the scene, or an episode that the page sends, for the browser to save."""
        tab, form, layout = *self._read(values), self.context.layout
        action = self.context.admit(event, values)
        file: dict[str, str] | None = None
        if action is not None:
            try:
                file = await asyncio.to_thread(_write_file, tab.session.scene, form.show, action)
            except UserError as error:
                tab.session.status = StatusMessage.problem(error)
        return {**self.context.view.show_scene(tab, form), layout.download: file}

    def _read(self, values: FieldValues) -> tuple[Tab, SceneForm]:
        return self.context.read_tab(values), self.context.read_form(values)


def _write_file(scene: Scene, show: Show, action: PageAction) -> dict[str, str]:
    ending, name = str(action.fields.get("ending")), str(action.fields.get("name") or "")
    if sent := action.fields.get("episode"):
        episode = decode(Episode, sent, "the page")
        text = export_episode(replace(episode, title=name or show.title), ending)
    else:
        text = export_scene(scene, ending, name or show.title)
    stem = re.sub(r"[^\w-]+", "-", name).strip("-") or show.name
    return {"name": f"{stem}.{ending}", "text": text}


def apply_action(session: Session, show: Show, action: dict[str, Any], random: Random) -> None:
    """Do one action of the page.

    Args:
        action: Its name under "deed", and its arguments.

    Raises:
        UserError: the action is not possible in the current scene.
    """
    match action:
        case {"deed": "direct"}:
            session.clear_problem()
        case {"deed": "write", "speaker": speaker, "text": str(text)}:
            name = None if speaker == STAGE_DIRECTION else str(speaker or "")
            session.write(show, name, text)
        case {"deed": "revise", "index": int(index), "was": was, "now": now}:
            session.revise(show, index, read_words(was), read_words(now))
        case {"deed": "insert", "index": int(index), "speaker": speaker, "text": str(text)}:
            session.insert(show, index, speaker, text)
        case {"deed": "replace", "index": int(index), "was": [*was], "now": [*now]}:
            entries = [decode(Entry, each, "the page") for each in now]
            session.replace_passage(index, [read_words(each) for each in was], entries)
        case {"deed": "convert", "index": int(index), "was": was, "form": str(form)}:
            wanted = decode(_Conversion, {"form": form}, "the page").form
            session.convert(index, read_words(was), wanted)
        case {"deed": "move", "index": int(index), "was": was, "to": int(to)}:
            session.move(index, read_words(was), to)
        case {"deed": "delete", "index": int(index), "was": was}:
            session.delete(index, read_words(was))
        case {"deed": "substitute", "how": how}:
            session.substitute(decode(Substitution, how, "the page"))
        case {"deed": "rename", "old": str(old), "new": str(new), "in_words": bool(in_words)}:
            session.rename(show, old, new, in_words=in_words)
        case {"deed": "open", "index": int(index)} if 0 <= index < len(show.prompt.openings):
            session.start_from(show.prompt.openings[index])
        case {"deed": "switch", "version": int(version)}:
            session.switch(version)
        case {"deed": "bookmark", "version": int(version), "name": str(name)}:
            session.bookmark(version, name)
        case {"deed": "undo"}:
            session.undo()
        case {"deed": "redo"}:
            session.redo()
        case {"deed": "surprise"}:
            session.surprise(show, random)
        case {"deed": "choose", "index": int(index)}:
            if index >= 0:
                session.choose_candidate(index)
            session.dismiss_candidates()
        case _:
            raise UserError("the page asked for what the room does not know; load it anew")


def read_words(words: Any) -> SpeakerAndText:
    """Read the speaker and text of a line that the page sends.

    Raises:
        UserError: they are missing.
    """
    match words:
        case {"speaker": str() | None as speaker, "text": str(text)}:
            return speaker, text
        case _:
            raise UserError("the page sent no line; load it anew")
