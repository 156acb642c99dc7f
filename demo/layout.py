"""What stands where in the room: Gradio components without behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from demo.page import render_page, render_title
from demo.scene import Scene
from demo.session import Session
from nothing_gpt.show import Show

STAGE_DIRECTION = "stage direction"
"""Stands among the speakers for a line that nobody speaks."""

LINES = 8
"""Lines of a continuation, unless the writer asks for another number."""

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Layout:
    """The room's components by what they are for."""

    session: gr.State
    title: gr.HTML
    model: gr.Dropdown
    reconnect: gr.Button
    show: gr.Dropdown
    undirected: gr.HTML
    premise: gr.Textbox
    setting: gr.Textbox
    present: gr.CheckboxGroup
    guests: gr.Textbox
    surprise: gr.Button
    page: gr.HTML
    growing: gr.HTML
    save_text: gr.Button
    save_fountain: gr.Button
    start_over: gr.Button
    note: gr.HTML
    speaker: gr.Dropdown
    line: gr.Textbox
    proceed: gr.Button
    lines: gr.Number
    stop: gr.Button
    retake: gr.Button
    undo: gr.Button
    redo: gr.Button
    composed: gr.Textbox
    download: gr.JSON

    @property
    def direction(self) -> list[gr.components.Component]:
        """The fields that tell a scene about itself."""
        return [self.premise, self.setting, self.present, self.guests]

    @property
    def choice(self) -> list[gr.components.Component]:
        """What depends on the chosen model and show."""
        return [self.model, self.show, self.title, self.undirected]

    @property
    def view(self) -> list[gr.components.Component]:
        """What shows the scene as it stands, and what can be done with it."""
        shown = [self.page, self.growing, self.note, self.speaker, self.line]
        writing = [self.proceed, self.stop, self.retake, self.undo, self.redo]
        return [*shown, *writing, self.surprise, self.start_over]

    @property
    def desk(self) -> list[gr.components.Component]:
        """What every action reads."""
        return [self.session, self.model, self.show, *self.direction]


def lay_out(shows: Mapping[str, Show], show: str, model: str) -> Layout:
    """Make the components, inside a `gr.Blocks`."""
    session = gr.State(Session())
    title = gr.HTML(render_title(shows[show]), apply_default_css=False)
    with gr.Row(elem_id="room"):
        with gr.Column(scale=1, min_width=280, elem_id="panel"):
            premise = gr.Textbox(
                label="Premise", lines=2, max_lines=5, placeholder="What is this scene about?"
            )
            setting = gr.Textbox(label="Setting", placeholder="Where and when?")
            present = gr.CheckboxGroup(list(shows[show].names), label="In the scene")
            guests = gr.Textbox(label="Guests", placeholder="Names, set apart by commas")
            undirected = gr.HTML(_UNDIRECTED, visible=False, apply_default_css=False)
            surprise = gr.Button("Surprise me", elem_id="surprise")
            with gr.Row(elem_id="who"):
                picked = gr.Dropdown(
                    [model] if model else [],
                    value=model or None,
                    label="Model",
                    allow_custom_value=True,
                    scale=4,
                    min_width=120,
                )
                reconnect = gr.Button("Reconnect", scale=0, min_width=110, elem_id="reconnect")
            titles = [(each.title, name) for name, each in shows.items()]
            chosen = gr.Dropdown(titles, value=show, label="Show", elem_id="show")
        with gr.Column(scale=3, min_width=320, elem_id="script"):
            with gr.Column(elem_id="sheet"):
                with gr.Row(elem_id="keep"):
                    start_over = gr.Button("Start over", size="sm")
                    save_text = gr.Button("Save text", size="sm")
                    save_fountain = gr.Button("Save Fountain", size="sm")
                blank = render_page(shows[show], Scene(), editable=True)
                script = (_FOLDER / "page.js").read_text(encoding="utf-8")
                page = gr.HTML(blank, js_on_load=script, apply_default_css=False)
                growing = gr.HTML(apply_default_css=False)
            with gr.Column(elem_id="dock"):
                note = gr.HTML(apply_default_css=False)
                with gr.Row(elem_id="compose"):
                    names = [*shows[show].names, STAGE_DIRECTION]
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
                    proceed = gr.Button("Continue", variant="primary", scale=0, min_width=120)
                    lines = gr.Number(
                        LINES,
                        label="Lines to write",
                        elem_id="lines",
                        precision=0,
                        scale=0,
                        min_width=84,
                    )
                    stop = gr.Button(
                        "Stop", variant="stop", interactive=False, scale=0, min_width=80
                    )
                    retake = gr.Button("Retake", interactive=False, scale=0, min_width=80)
                    undo = gr.Button("Undo", interactive=False, scale=0, min_width=80)
                    redo = gr.Button("Redo", interactive=False, scale=0, min_width=80)
    return Layout(
        session,
        title,
        picked,
        reconnect,
        chosen,
        undirected,
        premise,
        setting,
        present,
        guests,
        surprise,
        page,
        growing,
        save_text,
        save_fountain,
        start_over,
        note,
        speaker,
        line,
        proceed,
        lines,
        stop,
        retake,
        undo,
        redo,
        gr.Textbox(visible=False),
        gr.JSON(visible=False),
    )


_UNDIRECTED = (
    '<p class="hint">This model goes by the lines alone: it was trained without premise, setting '
    "and cast. What you write is what it knows.</p>"
)
