"""The panels beside the script: the direction, the next lines, the choice of a model."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import gradio as gr
from gradio.components import Component

from demo.generation.constraints import SamplingSettings
from nothing_gpt.show import Show

ANYONE = "anyone"
"""The choice among the names for no constraint."""

BEAT_PLACEHOLDERS = {
    "words": "What happens in the next lines?",
    "premise": "What happens in the next lines? It is sent with the premise",
    "none": "This model takes no direction; write a line instead",
}
"""The hint in the field for the next beat, by how the model takes direction."""

_UNDIRECTED_HINT = (
    '<p class="hint">This model goes by the lines alone: it was trained without premise, setting '
    "and cast. What you write is what it knows.</p>"
)


SettingField = gr.Dropdown | gr.Textbox | gr.Number | gr.Checkbox


@dataclass(frozen=True, slots=True)
class DirectionFields:
    """The fields of a scene's direction, and the choice of a new scene.

    Gradio shows a field that is the input of no event as fixed, so these are set to interactive.
    """

    premise: gr.Textbox
    ideas: gr.Dropdown
    setting: gr.Textbox
    present: gr.CheckboxGroup
    guests: gr.Textbox
    undirected_hint: gr.HTML
    surprise: gr.Button

    @property
    def all(self) -> list[Component]:
        """The fields that make up a direction."""
        return [self.premise, self.setting, self.present, self.guests]


@dataclass(frozen=True, slots=True)
class GenerationFields:
    """The constraints and sampling settings of the next lines."""

    first: gr.Dropdown
    required: gr.Dropdown
    barred: gr.Dropdown
    tone: gr.Textbox
    beat: gr.Textbox
    locked: gr.Checkbox
    temperature: gr.Number
    top_p: gr.Number
    frequency_penalty: gr.Number
    presence_penalty: gr.Number
    seed: gr.Textbox
    candidates: gr.Number

    @property
    def names(self) -> list[Component]:
        """The fields that choose among the names of a show."""
        return [self.first, self.required, self.barred]

    @property
    def settings(self) -> dict[str, SettingField]:
        """All fields but the next beat, by their names."""
        names = (each.name for each in fields(self) if each.name != "beat")
        return {name: getattr(self, name) for name in names}

    @property
    def all(self) -> list[Component]:
        """All fields."""
        return [self.beat, *self.settings.values()]


@dataclass(frozen=True, slots=True)
class ModelFields:
    """The choice of a model and a show, the comparison with another model, the payload."""

    model: gr.Dropdown
    reconnect: gr.Button
    show: gr.Dropdown
    other_model: gr.Dropdown
    blind: gr.Checkbox
    compare: gr.Button
    preview: gr.Button
    payload: gr.Textbox


def build_direction_fields(show: Show) -> DirectionFields:
    """Make the fields of the direction."""
    return DirectionFields(
        premise=gr.Textbox(
            label="Premise",
            lines=2,
            max_lines=5,
            placeholder="What is this scene about?",
            elem_id="premise",
            interactive=True,
        ),
        ideas=gr.Dropdown(
            list(show.prompt.premises),
            value=None,
            label="Ideas from the show",
            visible=bool(show.prompt.premises),
            elem_id="ideas",
        ),
        setting=gr.Textbox(
            label="Setting",
            placeholder="Where and when?",
            elem_id="setting",
            interactive=True,
        ),
        present=gr.CheckboxGroup(
            list(show.names), label="In the scene", elem_id="present", interactive=True
        ),
        guests=gr.Textbox(
            label="Guests",
            placeholder="Names, set apart by commas",
            elem_id="guests",
            interactive=True,
        ),
        undirected_hint=gr.HTML(_UNDIRECTED_HINT, visible=False, apply_default_css=False),
        surprise=gr.Button("Surprise me", elem_id="surprise"),
    )


def build_generation_fields(show: Show) -> GenerationFields:
    """Make the fields for speakers and sampling, with the show's settings as values."""
    names, settings = list(show.names), SamplingSettings.of(show.generation)
    beat = gr.Textbox(
        label="Next beat",
        lines=1,
        max_lines=4,
        placeholder=BEAT_PLACEHOLDERS["premise"],
        elem_id="beat",
        interactive=True,
    )
    with gr.Accordion("Who speaks next", open=False):
        first = gr.Dropdown(
            [ANYONE, *names], value=ANYONE, label="Speaks next", allow_custom_value=True
        )
        required = _name_dropdown(names, "Must speak")
        barred = _name_dropdown(names, "Keeps silent")
        tone = gr.Textbox(label="Tone", placeholder="weary, hopeful, farce ...", visible=False)
        locked = gr.Checkbox(True, label="Only the cast of the scene may speak")
    with gr.Accordion("Advanced", open=False):
        with gr.Row(elem_classes="pair"):
            temperature = _number_field(settings.temperature, "Temperature")
            top_p = _number_field(settings.top_p, "Top-p")
        with gr.Row(elem_classes="pair"):
            frequency = _number_field(settings.frequency_penalty, "Frequency penalty")
            presence = _number_field(settings.presence_penalty, "Presence penalty")
        with gr.Row(elem_classes="pair"):
            seed = gr.Textbox(label="Seed", placeholder="a new one", min_width=100)
            candidates = gr.Number(3, label="Takes", precision=0, min_width=100)
    return GenerationFields(
        first=first,
        required=required,
        barred=barred,
        tone=tone,
        beat=beat,
        locked=locked,
        temperature=temperature,
        top_p=top_p,
        frequency_penalty=frequency,
        presence_penalty=presence,
        seed=seed,
        candidates=candidates,
    )


def _name_dropdown(names: list[str], label: str) -> gr.Dropdown:
    return gr.Dropdown(names, multiselect=True, label=label, value=[], allow_custom_value=True)


def _number_field(value: float, label: str) -> gr.Number:
    # Without bounds: Gradio would drop the whole event with an action, instead of saying so.
    return gr.Number(value, label=label, step=0.05, min_width=100)


def build_model_fields(shows: Mapping[str, Show], show: str, model: str) -> ModelFields:
    """Make the fields for the model, the comparison and the payload."""
    with gr.Row(elem_id="who"):
        model_field = gr.Dropdown(
            [model] if model else [],
            value=model or None,
            label="Model",
            allow_custom_value=True,
            scale=4,
            min_width=120,
        )
        reconnect = gr.Button("Reconnect", scale=0, min_width=110, elem_id="reconnect")
    titles = [(each.title, name) for name, each in shows.items()]
    show_field = gr.Dropdown(titles, value=show, label="Show", elem_id="show")
    with gr.Accordion("Two models side by side", open=False):
        other_model = gr.Dropdown([], label="The other model", allow_custom_value=True)
        blind = gr.Checkbox(True, label="Blind: names are told after the choice")
        compare = gr.Button("Compare", elem_id="compare")
    with gr.Accordion("What the model is sent", open=False, elem_id="sent"):
        preview = gr.Button("Show the next request", size="sm", elem_id="ask")
        # gr.Code's viewer has no accessible name, and its scrolled part cannot be reached by keys.
        payload = gr.Textbox(label="The request", interactive=False, lines=4, max_lines=24)
    return ModelFields(
        model=model_field,
        reconnect=reconnect,
        show=show_field,
        other_model=other_model,
        blind=blind,
        compare=compare,
        preview=preview,
        payload=payload,
    )
