"""The state of a session as values for the page's components."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from demo.generation.candidates import CandidateSet
from demo.generation.constraints import SamplingSettings
from demo.generation.rewriting.alternatives import AlternativeSet
from demo.generation.stream import LockState
from demo.generation.summary import describe_lock, describe_speed
from demo.session.session import Session
from demo.ui.forms import SceneForm
from demo.ui.layout import STAGE_DIRECTION, Layout
from demo.ui.script_html import describe_line, describe_page, pack, render_note, render_status
from demo.ui.settings_panel import ANYONE, BEAT_PLACEHOLDERS
from demo.ui.tab import KeptSettings, Tab
from nothing_gpt.line import Line
from nothing_gpt.records import encode
from nothing_gpt.show import Show

Updates = dict[Any, Any]
"""Components with their new values; all others stay as they are."""


def merge_updates(*updates: Updates) -> Updates:
    """Join updates; of a component in several of them, all properties are updated."""
    merged: Updates = {}
    for component, value in (pair for update in updates for pair in update.items()):
        before = merged.get(component)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[component] = {**before, **value}
        else:
            merged[component] = value
    return merged


_LOCKS: dict[LockState, str] = {
    "server": "speakers locked by the server",
    "filter": "speakers filtered here",
    "off": "speakers free",
}

IsQuoted = Callable[[Show, str], bool]
"""Whether a text is in the scripts of a show."""


class View:
    """Makes the updates that show a tab on the components of a layout."""

    def __init__(self, layout: Layout, is_quoted: IsQuoted) -> None:
        self._layout = layout
        self._is_quoted = is_quoted

    def show_direction(self, session: Session, form: SceneForm) -> Updates:
        """Show the scene's direction in the fields that the model's format carries."""
        direction, parts = session.scene.direction, form.choice.parts
        fields = self._layout.direction
        return {
            **self.show_cast(session, form),
            fields.premise: gr.update(value=direction.premise, visible="premise" in parts),
            fields.setting: gr.update(value=direction.setting, visible="setting" in parts),
        }

    def show_cast(self, session: Session, form: SceneForm) -> Updates:
        """Show who is in the scene, by the cast of the show, and the fields of the format.

        What is in the fields for premise and setting stays, for the writer may be typing there.
        """
        direction, names, parts = session.scene.direction, form.show.names, form.choice.parts
        fields, has_cast = self._layout.direction, "present" in parts
        present = [name for name in direction.present if name in names]
        guests = [name for name in direction.present if name not in names]
        return {
            fields.premise: gr.update(visible="premise" in parts),
            fields.setting: gr.update(visible="setting" in parts),
            fields.present: gr.update(choices=list(names), value=present, visible=has_cast),
            fields.guests: gr.update(value=", ".join(guests), visible=has_cast),
        }

    def show_generation(self, form: SceneForm, *, same_show: bool) -> Updates:
        """Show the fields that the model takes; those of another show start with its settings."""
        fields, settings = self._layout.generation, SamplingSettings.of(form.show.generation)
        ideas = self._layout.direction.ideas
        premises = list(form.show.prompt.premises)
        has_ideas = bool(premises) and "premise" in form.choice.parts
        taken = {
            fields.tone: gr.update(visible=not form.choice.has_own_show),
            fields.beat: gr.update(
                placeholder=BEAT_PLACEHOLDERS[form.choice.guidance],
                interactive=form.choice.guidance != "none",
            ),
            ideas: gr.update(visible=has_ideas),
        }
        if same_show:
            return taken
        values = {
            fields.first: ANYONE,
            fields.required: [],
            fields.barred: [],
            fields.temperature: settings.temperature,
            fields.top_p: settings.top_p,
            fields.frequency_penalty: settings.frequency_penalty,
            fields.presence_penalty: settings.presence_penalty,
        }
        started = {field: gr.update(value=value) for field, value in values.items()}
        return merge_updates(taken, started, {ideas: gr.update(choices=premises, value=None)})

    def show_settings(self, kept: KeptSettings) -> Updates:
        """Show the settings that the page has kept, as far as it has."""
        settings, values = self._layout.settings, encode(kept)
        return {settings[name]: gr.update(value=value) for name, value in values.items()}

    def show_scene(self, tab: Tab, form: SceneForm, *, refused: bool = False) -> Updates:
        """Show the scene, the messages, and which actions are possible."""
        session, composer = tab.session, self._layout.composer
        history, idle = session.history, not session.writing
        needing_idle = [
            composer.proceed,
            composer.candidates,
            self._layout.models.compare,
            self._layout.direction.surprise,
        ]
        return {
            **dict.fromkeys(needing_idle, _enabled(when=idle)),
            **self.show_script(tab, form, None, refused=refused),
            composer.status: render_note(session.status),
            composer.model_status: _render_model_status(session, form),
            **self._show_names(tab, form),
            composer.stop: _enabled(when=not idle),
            composer.retake: _enabled(when=idle and history.scene.last_take is not None),
            composer.undo: _enabled(when=idle and history.can_undo),
            composer.redo: _enabled(when=idle and history.can_redo),
        }

    def _show_names(self, tab: Tab, form: SceneForm) -> Updates:
        """Offer the scene's speakers, if the page has others: each field is made anew for it."""
        names = _list_speakers(tab.session, form)
        if names == tab.names_shown:
            return {}
        tab.names_shown = names
        generation = self._layout.generation
        return {
            self._layout.composer.speaker: gr.update(choices=[*names, STAGE_DIRECTION]),
            generation.first: gr.update(choices=[ANYONE, *names]),
            generation.required: gr.update(choices=names),
            generation.barred: gr.update(choices=names),
        }

    def show_script(
        self, tab: Tab, form: SceneForm, line: Line | None, *, refused: bool = False
    ) -> Updates:
        """Send the page what is new in the scene, and show the growing line."""
        session = tab.session
        editable = not session.writing
        message = tab.page_sync.next_message(
            session.history,
            describe_page(
                form.show,
                session.branches if editable else (),
                editable=editable,
                guidance=form.choice.guidance,
            ),
            shown=len(session.scene.entries),
            quoted=lambda text: self._is_quoted(form.show, text),
            votes=session.votes,
            refused=refused,
        )
        return {self._layout.page: pack(message), **self.show_growing(tab, form, line)}

    def show_growing(self, tab: Tab, form: SceneForm, line: Line | None) -> Updates:
        """Show the growing line, or the candidates."""
        session, message = tab.session, {}
        if session.candidate_set is not None:
            message = _describe_candidates(session.candidate_set)
        elif session.alternative_set is not None:
            message = {"alternatives": _describe_alternatives(session.alternative_set)}
        elif session.writing:
            message = {"writing": True, "line": describe_line(line)}
        message["cast"] = _list_speakers(session, form)
        return {self._layout.growing: pack(message)}


def _render_model_status(session: Session, form: SceneForm) -> str:
    """Show the model, what keeps its speakers to the cast, and its speed."""
    model = next((each for each in session.models if each.name == form.choice.model), None)
    if model is None:
        return render_status(())
    kind = f"adapter on {model.parent}" if model.parent else "base model"
    progress = session.progress
    measured = (
        [
            (_LOCKS[progress.lock], describe_lock(progress.lock)),
            (describe_speed(progress.speed), "of the last lines, from asking to showing"),
        ]
        if progress
        else []
    )
    loss = f"; its held-out loss is {model.held_out_loss}" if model.held_out_loss else ""
    return render_status([(f"{model.name}, {kind}", f"the model that writes{loss}"), *measured])


def _list_speakers(session: Session, form: SceneForm) -> list[str]:
    return list(dict.fromkeys([*form.show.names, *session.history.scene.speakers]))


def _enabled(*, when: bool) -> dict[str, Any]:
    update: dict[str, Any] = gr.update(interactive=when)
    return update


def _describe_alternatives(alternative_set: AlternativeSet) -> dict[str, Any]:
    return {
        "index": alternative_set.passage.start,
        "was": [encode(entry) for entry in alternative_set.was],
        "lines": [[encode(entry) for entry in each] for each in alternative_set.alternatives],
        "ranked": alternative_set.ranked,
    }


def _describe_candidates(candidate_set: CandidateSet) -> dict[str, Any]:
    candidates = [
        {
            "name": candidate_set.name(index),
            "state": candidate.state,
            "lines": [describe_line(line) for line in candidate.lines],
            "growing": describe_line(candidate.growing),
            "said": candidate.outcome,
        }
        for index, candidate in enumerate(candidate_set.candidates)
    ]
    return {"takes": candidates, "chosen": candidate_set.chosen}
