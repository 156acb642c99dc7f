"""How things stand, as values for the components of the page."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from demo.generation.candidates import CandidateSet
from demo.generation.client import LockState
from demo.generation.constraints import SamplingSettings
from demo.generation.continuation import describe_lock
from demo.generation.speed import describe_speed
from demo.session.session import Session
from demo.ui.layout import STAGE_DIRECTION, Layout
from demo.ui.scene_form import SceneForm
from demo.ui.script_html import describe_line, describe_page, pack, render_note, render_status
from demo.ui.settings_panel import ANYONE
from demo.ui.tab import Tab
from nothing_gpt.line import Line
from nothing_gpt.show import Show

Updates = dict[Any, Any]
"""Components with their new values; those that are not in it stay as they are."""

_LOCKS: dict[LockState, str] = {
    "server": "speakers locked by the server",
    "filter": "speakers filtered here",
    "off": "speakers free",
}

Quoted = Callable[[Show, str], bool]


class View:
    """Draws a visit on the components of the page.

    `quoted` tells whether words stand in the scripts of a show.
    """

    def __init__(self, parts: Layout, quoted: Quoted) -> None:
        self._parts = parts
        self._quoted = quoted

    def direction(self, session: Session, desk: SceneForm) -> Updates:
        """What the scene says of itself, in the fields that the model was trained on."""
        direction, names, carried = session.scene.direction, desk.show.names, desk.carried
        parts, has_cast = self._parts.direction, "present" in carried
        present = [name for name in direction.present if name in names]
        guests = [name for name in direction.present if name not in names]
        return {
            parts.premise: gr.update(value=direction.premise, visible="premise" in carried),
            parts.setting: gr.update(value=direction.setting, visible="setting" in carried),
            parts.present: gr.update(choices=list(names), value=present, visible=has_cast),
            parts.guests: gr.update(value=", ".join(guests), visible=has_cast),
        }

    def brief(self, session: Session, desk: SceneForm) -> Updates:
        """The names and the settings of the chosen show."""
        brief, own = self._parts.brief, SamplingSettings.of(desk.show.generation)
        names = self._speakers(session, desk)
        premises = list(desk.show.prompt.premises)
        return {
            brief.first: gr.update(choices=[ANYONE, *names], value=ANYONE),
            brief.required: gr.update(choices=names, value=[]),
            brief.barred: gr.update(choices=names, value=[]),
            brief.tone: gr.update(visible=not desk.bound),
            brief.temperature: own.temperature,
            brief.top_p: own.top_p,
            brief.frequency_penalty: own.frequency_penalty,
            brief.presence_penalty: own.presence_penalty,
            self._parts.direction.ideas: gr.update(
                choices=premises, value=None, visible=bool(premises) and "premise" in desk.carried
            ),
        }

    def view(self, visit: Tab, desk: SceneForm, *, refused: bool = False) -> Updates:
        """Everything that shows the scene, and what can be done with it now."""
        session, dock = visit.session, self._parts.dock
        history, idle = session.history, not session.writing
        speakers = [*self._speakers(session, desk), STAGE_DIRECTION]
        changing = [dock.proceed, dock.takes, self._parts.models.compare]
        return {
            **dict.fromkeys([*changing, self._parts.direction.surprise], _enabled(when=idle)),
            **self.script(visit, desk, None, refused=refused),
            dock.note: render_note(session.note),
            dock.status: self.status(session, desk),
            dock.speaker: gr.update(choices=speakers),
            dock.stop: _enabled(when=not idle),
            dock.retake: _enabled(when=idle and history.scene.last_take is not None),
            dock.undo: _enabled(when=idle and history.can_undo),
            dock.redo: _enabled(when=idle and history.can_redo),
        }

    def script(
        self, visit: Tab, desk: SceneForm, line: Line | None, *, refused: bool = False
    ) -> Updates:
        """What is new on the page, and the line that grows under it."""
        session = visit.session
        editable = not session.writing
        page = visit.sheet.tell(
            session.history,
            describe_page(desk.show, session.branches if editable else (), editable=editable),
            shown=len(session.scene.entries),
            quoted=lambda text: self._quoted(desk.show, text),
            refused=refused,
        )
        return {self._parts.page: pack(page), **self.growing(visit, desk, line)}

    def growing(self, visit: Tab, desk: SceneForm, line: Line | None) -> Updates:
        """The line that grows, or the takes to choose from."""
        session, value = visit.session, {}
        if session.takes is not None:
            value = _describe_takes(session.takes)
        elif session.writing:
            value = {"writing": True, "line": describe_line(line)}
        return {self._parts.growing: pack(value | {"cast": self._speakers(session, desk)})}

    def status(self, session: Session, desk: SceneForm) -> str:
        """Which model writes, how its speakers are kept to the cast, and how fast it was."""
        card = next((model for model in session.models if model.name == desk.model), None)
        if card is None:
            return render_status(())
        kind = f"adapter on {card.parent}" if card.parent else "base model"
        report = session.report
        measured = (
            [
                (_LOCKS[report.lock], describe_lock(report.lock)),
                (describe_speed(report.speed), "of the last lines, from asking to showing"),
            ]
            if report
            else []
        )
        return render_status([(f"{card.name}, {kind}", "the model that writes"), *measured])

    def _speakers(self, session: Session, desk: SceneForm) -> list[str]:
        return list(dict.fromkeys([*desk.show.names, *session.history.scene.speakers]))


def _enabled(*, when: bool) -> dict[str, Any]:
    update: dict[str, Any] = gr.update(interactive=when)
    return update


def _describe_takes(takes: CandidateSet) -> dict[str, Any]:
    trials = [
        {
            "name": takes.name(index),
            "state": trial.state,
            "lines": [describe_line(line) for line in trial.lines],
            "growing": describe_line(trial.growing),
            "said": trial.said,
        }
        for index, trial in enumerate(takes.trials)
    ]
    return {"takes": trials, "chosen": takes.chosen}
