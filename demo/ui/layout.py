"""The layout of the room: Gradio components without behaviour, and sets of them for events."""

from collections.abc import Mapping
from dataclasses import dataclass

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from demo.ui.new_show.panel import build_new_show
from demo.ui.script_html import read_live_script, read_script, render_frame, render_title
from demo.ui.settings_panel import (
    DirectionFields,
    GenerationFields,
    ModelFields,
    SettingField,
    build_direction_fields,
    build_generation_fields,
    build_model_fields,
)
from demo.ui.tab import Tab
from nothing_gpt.show import Show

STAGE_DIRECTION = "stage direction"
"""The choice among the speakers for a line that nobody speaks."""

DEFAULT_LINES = 8
"""Lines of a continuation if the writer does not choose a number."""


@dataclass(frozen=True, slots=True)
class ComposerFields:
    """The composer of new lines, with the actions and messages that are always visible."""

    status: gr.HTML
    speaker: gr.Dropdown
    line: gr.Textbox
    proceed: gr.Button
    lines: gr.Number
    stop: gr.Button
    retake: gr.Button
    candidates: gr.Button
    undo: gr.Button
    redo: gr.Button
    model_status: gr.HTML

    @property
    def actions(self) -> list[Component]:
        """The buttons that are enabled or disabled as the scene changes."""
        history = [self.undo, self.redo]
        return [self.proceed, self.stop, self.retake, self.candidates, *history]


@dataclass(frozen=True, slots=True)
class Layout:
    """The components of the room.

    Attributes:
        tab: The state of the browser tab, a `Tab`.
        page: The script, drawn by the page's own JavaScript.
        growing: The line that is being written, or the candidates.
        download: The exported file, which the browser saves.
        new_show: The dialog in which scripts become a new show.
    """

    tab: gr.State
    title: gr.HTML
    direction: DirectionFields
    generation: GenerationFields
    models: ModelFields
    page: gr.HTML
    growing: gr.HTML
    composer: ComposerFields
    download: gr.JSON
    new_show: gr.HTML

    @property
    def choice_inputs(self) -> set[Block]:
        """The inputs of an action on the scene, for `read_scene_form`."""
        return {self.tab, self.models.model, self.models.show}

    @property
    def generation_inputs(self) -> set[Block]:
        """The inputs of a generation, for `read_scene_form` and `read_generation_form`."""
        return {*self.choice_inputs, self.composer.lines, *self.generation.all}

    @property
    def settings(self) -> dict[str, SettingField]:
        """The fields that the page keeps over a reload, by their names in `KeptSettings`."""
        models = self.models
        return {
            "model": models.model,
            "show": models.show,
            "other_model": models.other_model,
            "blind": models.blind,
            "lines": self.composer.lines,
            **self.generation.settings,
        }

    @property
    def scene_outputs(self) -> list[Component]:
        """The outputs that show the scene and its actions."""
        composer = self.composer
        shown = [self.page, self.growing, composer.status, composer.model_status]
        others = [composer.speaker, self.direction.surprise, self.models.compare]
        return [*shown, *composer.actions, *others, *self.generation.names]

    @property
    def direction_outputs(self) -> list[Component]:
        """The outputs that show the scene and its direction."""
        return [*self.direction.all, *self.scene_outputs]

    @property
    def all_outputs(self) -> list[Component]:
        """All outputs, including those that depend on the model and its show."""
        hints = [self.direction.undirected_hint, self.direction.ideas]
        shown = [self.title, *hints, self.generation.beat, *self.settings.values()]
        return list(dict.fromkeys([*shown, *self.direction_outputs]))


def build_layout(
    shows: Mapping[str, Show],
    show: str,
    model: str,
    formats: list[tuple[str, str, bool]],
    closed_new_show: str,
) -> Layout:
    """Make the components, inside a `gr.Blocks`.

    Args:
        formats: Names and file endings of the formats for export, and whether they are for
            episodes too.
        closed_new_show: As of `build_new_show`.
    """
    tab = gr.State(Tab())
    title = gr.HTML(render_title(shows[show]), apply_default_css=False)
    with gr.Row(elem_id="room"):
        with gr.Column(scale=1, min_width=280, elem_id="panel"):
            direction = build_direction_fields(shows[show])
            generation = build_generation_fields(shows[show])
            models = build_model_fields(shows, show, model)
            new_show = build_new_show(closed_new_show)
        with gr.Column(scale=3, min_width=320, elem_id="script"):
            with gr.Column(elem_id="sheet"):
                page = gr.HTML(
                    html_template=render_frame(formats),
                    js_on_load=read_script(),
                    apply_default_css=False,
                )
                growing = gr.HTML(
                    html_template="", js_on_load=read_live_script(), apply_default_css=False
                )
            composer = _build_composer(shows[show])
    return Layout(
        tab=tab,
        title=title,
        direction=direction,
        generation=generation,
        models=models,
        page=page,
        growing=growing,
        composer=composer,
        download=gr.JSON(visible=False),
        new_show=new_show,
    )


def _build_composer(show: Show) -> ComposerFields:
    with gr.Column(elem_id="dock"):
        status = gr.HTML(apply_default_css=False)
        with gr.Row(elem_id="compose"):
            names = [*show.names, STAGE_DIRECTION]
            speaker = gr.Dropdown(
                names,
                value=names[0],
                label="Who",
                allow_custom_value=True,
                scale=1,
                min_width=130,
                interactive=True,
            )
            line = gr.Textbox(
                label="New line",
                placeholder="Write a line",
                lines=1,
                max_lines=6,
                scale=5,
                submit_btn="Add",
                min_width=200,
                interactive=True,
            )
        with gr.Row(elem_id="actions"):
            proceed = gr.Button(
                "Continue", variant="primary", scale=0, min_width=120, elem_id="continue"
            )
            lines = gr.Number(
                DEFAULT_LINES,
                label="Lines to write",
                elem_id="lines",
                precision=0,
                scale=0,
                min_width=84,
            )
            stop = gr.Button(
                "Stop", variant="stop", interactive=False, scale=0, min_width=80, elem_id="stop"
            )
            retake, candidates, undo, redo = map(
                _action_button, ("Retake", "Takes", "Undo", "Redo")
            )
        model_status = gr.HTML(apply_default_css=False, elem_id="status")
    return ComposerFields(
        status=status,
        speaker=speaker,
        line=line,
        proceed=proceed,
        lines=lines,
        stop=stop,
        retake=retake,
        candidates=candidates,
        undo=undo,
        redo=redo,
        model_status=model_status,
    )


def _action_button(name: str) -> gr.Button:
    return gr.Button(name, interactive=False, scale=0, min_width=80, elem_id=name.lower())
