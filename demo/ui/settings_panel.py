"""The parts of the panel beside the script that are folded away until they are wanted."""

from collections.abc import Mapping
from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from demo.generation.constraints import SamplingSettings
from nothing_gpt.show import Show

ANYONE = "anyone"
"""Stands among the names for no wish."""


@dataclass(frozen=True, slots=True)
class GenerationFields:
    """What a writer wishes of the next lines, and how the model is to be sampled."""

    first: gr.Dropdown
    required: gr.Dropdown
    barred: gr.Dropdown
    tone: gr.Textbox
    locked: gr.Checkbox
    temperature: gr.Number
    top_p: gr.Number
    frequency_penalty: gr.Number
    presence_penalty: gr.Number
    seed: gr.Textbox
    count: gr.Number

    @property
    def sampling(self) -> list[Component]:
        """How the model picks its words."""
        penalties = [self.frequency_penalty, self.presence_penalty]
        return [self.temperature, self.top_p, *penalties]

    @property
    def fields(self) -> list[Component]:
        """All of it, in the order in which `demo.ui.scene_form.read_brief` takes it."""
        who = [self.first, self.required, self.barred, self.tone, self.locked]
        return [*who, *self.sampling, self.seed, self.count]


@dataclass(frozen=True, slots=True)
class ModelFields:
    """Which model writes, with whose show, and what is sent to it."""

    model: gr.Dropdown
    reconnect: gr.Button
    show: gr.Dropdown
    rival: gr.Dropdown
    blind: gr.Checkbox
    compare: gr.Button
    ask: gr.Button
    sent: gr.Code


def lay_out_generation_fields(show: Show) -> GenerationFields:
    """Make the fields for who speaks next and for sampling, with the show's own settings."""
    names, own = list(show.names), SamplingSettings.of(show.generation)
    with gr.Accordion("Who speaks next", open=False):
        first = gr.Dropdown(
            [ANYONE, *names], value=ANYONE, label="Speaks next", allow_custom_value=True
        )
        required = _names(names, "Must speak")
        barred = _names(names, "Keeps silent")
        tone = gr.Textbox(label="Tone", placeholder="weary, hopeful, farce ...", visible=False)
        locked = gr.Checkbox(True, label="Only the cast of the scene may speak")
    with gr.Accordion("Advanced", open=False):
        with gr.Row(elem_classes="pair"):
            temperature = _number(own.temperature, "Temperature", 0, 2)
            top_p = _number(own.top_p, "Top-p", 0.01, 1)
        with gr.Row(elem_classes="pair"):
            frequency = _number(own.frequency_penalty, "Frequency penalty", -2, 2)
            presence = _number(own.presence_penalty, "Presence penalty", -2, 2)
        with gr.Row(elem_classes="pair"):
            seed = gr.Textbox(label="Seed", placeholder="a new one", min_width=100)
            count = gr.Number(3, label="Takes", precision=0, minimum=2, maximum=4, min_width=100)
    return GenerationFields(
        first,
        required,
        barred,
        tone,
        locked,
        temperature,
        top_p,
        frequency,
        presence,
        seed,
        count,
    )


def _names(names: list[str], label: str) -> gr.Dropdown:
    return gr.Dropdown(names, multiselect=True, label=label, value=[], allow_custom_value=True)


def _number(value: float, label: str, low: float, high: float) -> gr.Number:
    return gr.Number(value, label=label, minimum=low, maximum=high, step=0.05, min_width=100)


def lay_out_model_fields(shows: Mapping[str, Show], show: str, model: str) -> ModelFields:
    """Make the choice of a model, and what there is to see and to compare of it."""
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
    with gr.Accordion("Two models side by side", open=False):
        rival = gr.Dropdown([], label="The other model", allow_custom_value=True)
        blind = gr.Checkbox(True, label="Blind: names are told after the choice")
        compare = gr.Button("Compare", elem_id="compare")
    with gr.Accordion("What the model is sent", open=False):
        ask = gr.Button("Show the next request", size="sm", elem_id="ask")
        sent = gr.Code(
            language="json", label="The request", interactive=False, wrap_lines=True, max_lines=24
        )
    return ModelFields(picked, reconnect, chosen, rival, blind, compare, ask, sent)
