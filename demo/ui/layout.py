"""What stands where in the room: Gradio components without behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from demo.ui.script_html import read_live_script, read_script, render_frame, render_title
from demo.ui.settings_panel import (
    GenerationFields,
    ModelFields,
    lay_out_generation_fields,
    lay_out_model_fields,
)
from demo.ui.tab import Tab
from nothing_gpt.show import Show

STAGE_DIRECTION = "stage direction"
"""Stands among the speakers for a line that nobody speaks."""

LINES = 8
"""Lines of a continuation, unless the writer asks for another number."""


@dataclass(frozen=True, slots=True)
class DirectionFields:
    """What the scene is told about itself."""

    premise: gr.Textbox
    ideas: gr.Dropdown
    setting: gr.Textbox
    present: gr.CheckboxGroup
    guests: gr.Textbox
    undirected: gr.HTML
    surprise: gr.Button


@dataclass(frozen=True, slots=True)
class ComposerFields:
    """What the writer does, always in reach."""

    note: gr.HTML
    speaker: gr.Dropdown
    line: gr.Textbox
    proceed: gr.Button
    lines: gr.Number
    stop: gr.Button
    retake: gr.Button
    takes: gr.Button
    undo: gr.Button
    redo: gr.Button
    status: gr.HTML


@dataclass(frozen=True, slots=True)
class Layout:
    """The room's components by what they are for."""

    visit: gr.State
    title: gr.HTML
    direction: DirectionFields
    brief: GenerationFields
    models: ModelFields
    page: gr.HTML
    growing: gr.HTML
    dock: ComposerFields
    composed: gr.Textbox
    download: gr.JSON

    @property
    def told(self) -> list[Component]:
        """The fields that tell a scene about itself."""
        part = self.direction
        return [part.premise, part.setting, part.present, part.guests]

    @property
    def choice(self) -> list[Component]:
        """What depends on the chosen model and show."""
        part, models = self.direction, self.models
        brief = [self.brief.first, self.brief.required, self.brief.barred, *self.brief.sampling]
        shown = [models.model, models.show, models.rival, self.brief.tone]
        return [*shown, self.title, part.undirected, part.ideas, *brief]

    @property
    def view(self) -> list[Component]:
        """What shows the scene as it stands, and what can be done with it."""
        dock = self.dock
        writing = [dock.proceed, dock.stop, dock.retake, dock.takes, dock.undo, dock.redo]
        shown = [self.page, self.growing, dock.note, dock.status, dock.speaker, dock.line]
        return [*shown, *writing, self.direction.surprise, self.models.compare]

    @property
    def desk(self) -> list[Component]:
        """What every action reads."""
        return [self.visit, self.models.model, self.models.show, *self.told]

    @property
    def chosen(self) -> list[Component]:
        """What is read when a model or another scene comes: of the last one's fields, none."""
        return [self.visit, self.models.model, self.models.show]

    @property
    def order(self) -> list[Component]:
        """What having a model write reads besides."""
        return [self.dock.lines, *self.brief.fields]


def lay_out(
    shows: Mapping[str, Show], show: str, model: str, endings: list[tuple[str, str]]
) -> Layout:
    """Make the components, inside a `gr.Blocks`."""
    visit = gr.State(Tab())
    title = gr.HTML(render_title(shows[show]), apply_default_css=False)
    with gr.Row(elem_id="room"):
        with gr.Column(scale=1, min_width=280, elem_id="panel"):
            direction = _lay_out_direction(shows[show])
            brief = lay_out_generation_fields(shows[show])
            models = lay_out_model_fields(shows, show, model)
        with gr.Column(scale=3, min_width=320, elem_id="script"):
            with gr.Column(elem_id="sheet"):
                page = gr.HTML(
                    html_template=render_frame(endings),
                    js_on_load=read_script(),
                    apply_default_css=False,
                )
                growing = gr.HTML(
                    html_template="", js_on_load=read_live_script(), apply_default_css=False
                )
            dock = _lay_out_dock(shows[show])
    return Layout(
        visit,
        title,
        direction,
        brief,
        models,
        page,
        growing,
        dock,
        gr.Textbox(visible=False),
        gr.JSON(visible=False),
    )


def _lay_out_direction(show: Show) -> DirectionFields:
    premise = gr.Textbox(
        label="Premise", lines=2, max_lines=5, placeholder="What is this scene about?"
    )
    ideas = gr.Dropdown(
        list(show.prompt.premises),
        value=None,
        label="Ideas from the show",
        visible=bool(show.prompt.premises),
        elem_id="ideas",
    )
    setting = gr.Textbox(label="Setting", placeholder="Where and when?")
    present = gr.CheckboxGroup(list(show.names), label="In the scene")
    guests = gr.Textbox(label="Guests", placeholder="Names, set apart by commas")
    undirected = gr.HTML(_UNDIRECTED, visible=False, apply_default_css=False)
    surprise = gr.Button("Surprise me", elem_id="surprise")
    return DirectionFields(premise, ideas, setting, present, guests, undirected, surprise)


def _lay_out_dock(show: Show) -> ComposerFields:
    with gr.Column(elem_id="dock"):
        note = gr.HTML(apply_default_css=False)
        with gr.Row(elem_id="compose"):
            names = [*show.names, STAGE_DIRECTION]
            speaker = gr.Dropdown(
                names,
                value=names[0],
                label="Who",
                allow_custom_value=True,
                scale=1,
                min_width=130,
            )
            line = gr.Textbox(
                label="New line",
                placeholder="Write a line",
                lines=1,
                max_lines=6,
                scale=5,
                submit_btn="Add",
                min_width=200,
            )
        with gr.Row(elem_id="actions"):
            proceed = gr.Button(
                "Continue", variant="primary", scale=0, min_width=120, elem_id="continue"
            )
            lines = gr.Number(
                LINES,
                label="Lines to write",
                elem_id="lines",
                precision=0,
                minimum=1,
                scale=0,
                min_width=84,
            )
            stop = gr.Button(
                "Stop", variant="stop", interactive=False, scale=0, min_width=80, elem_id="stop"
            )
            retake, takes, undo, redo = map(_action, ("Retake", "Takes", "Undo", "Redo"))
        status = gr.HTML(apply_default_css=False, elem_id="status")
    return ComposerFields(
        note, speaker, line, proceed, lines, stop, retake, takes, undo, redo, status
    )


def _action(name: str) -> gr.Button:
    return gr.Button(name, interactive=False, scale=0, min_width=80, elem_id=name.lower())


_UNDIRECTED = (
    '<p class="hint">This model goes by the lines alone: it was trained without premise, setting '
    "and cast. What you write is what it knows.</p>"
)
