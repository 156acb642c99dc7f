"""Forms, read from the values of the components as Gradio passes them."""

from collections.abc import Iterator
from random import Random
from typing import Any

import gradio as gr
import pytest

from demo.generation.constraints import SamplingSettings, SpeakerConstraints
from demo.generation.models import ModelChoice, OfferedModel
from demo.generation.request import MAX_LINES
from demo.scene.scene import Provenance
from demo.ui.forms import DirectionInput, read_generation_form, read_scene_form
from demo.ui.layout import DEFAULT_LINES, Layout, build_layout
from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Direction
from nothing_gpt.show import load_show

SHOWS = {name: load_show(name) for name in ("unclaimed", "seinfeld")}
SHOW = SHOWS["unclaimed"]
MODELS = (OfferedModel("base"), OfferedModel("jerry", "base", SHOWS["seinfeld"], "script"))


@pytest.fixture(scope="module")
def layout() -> Iterator[Layout]:
    with gr.Blocks():
        yield build_layout(SHOWS, "unclaimed", "", [], "")


@pytest.fixture
def values(layout: Layout) -> dict[Any, Any]:
    """The page as it opens: every field with its first value."""
    fields: dict[Any, Any] = {
        field: getattr(field, "value", None) for field in layout.generation_inputs
    }
    return fields | {
        layout.models.model: "base",
    }


TYPED = DirectionInput(" A  telephone. ", "", ("DOT",), "aunt ruth, Felix")


def test_a_model_without_a_show_has_the_chosen_one(layout: Layout, values: dict[Any, Any]) -> None:
    form = read_scene_form(values, layout, MODELS, SHOWS)
    assert form.choice == ModelChoice("base", "", SHOW, "directed", has_own_show=False)
    assert form.read_direction(TYPED, Direction("Old.")) == Direction(
        "A telephone.", "", ("DOT", "AUNT RUTH", "FELIX")
    )


def test_what_a_models_format_does_not_carry_stays_as_it_is(
    layout: Layout, values: dict[Any, Any]
) -> None:
    form = read_scene_form({**values, layout.models.model: "jerry"}, layout, MODELS, SHOWS)
    assert form.choice == ModelChoice("jerry", "base", SHOWS["seinfeld"], "script", True)
    assert form.read_direction(TYPED, Direction("Old.", "", ("JERRY",))) == Direction(
        "Old.", "", ("JERRY",)
    )


def test_what_the_page_leaves_out_stays_as_it_is(layout: Layout, values: dict[Any, Any]) -> None:
    form = read_scene_form({**values, layout.models.model: None}, layout, MODELS, SHOWS)
    assert form.choice.model == ""
    old = Direction("Old.", "Here.", ("DOT", "RUTH"))
    assert form.read_direction(DirectionInput(), old) == old
    given = DirectionInput(setting="There.", present=("BEA",))
    assert form.read_direction(given, old) == Direction("Old.", "There.", ("BEA", "RUTH"))
    with pytest.raises(UserError, match="cannot be a character's name"):
        form.read_direction(DirectionInput(present=("<b>",)), old)


def test_empty_fields_are_the_shows(layout: Layout, values: dict[Any, Any]) -> None:
    fields = layout.generation
    penalties = [fields.frequency_penalty, fields.presence_penalty]
    numbers = [fields.temperature, fields.top_p, *penalties, fields.candidates]
    empty: dict[Any, Any] = dict.fromkeys([*numbers, layout.composer.lines])
    form = read_generation_form({**values, **empty}, layout, SHOW)
    assert form.constraints == SpeakerConstraints()
    assert form.sampling == SamplingSettings.of(SHOW.generation)
    assert (form.lines, form.seed, form.candidates) == (DEFAULT_LINES, None, 2)


def test_every_field_is_read(layout: Layout, values: dict[Any, Any]) -> None:
    fields = layout.generation
    given: dict[Any, Any] = {
        fields.first: "bea",
        fields.required: ["FELIX"],
        fields.barred: ["pike"],
        fields.tone: " weary ",
        fields.beat: " She  knows. ",
        fields.locked: False,
        fields.temperature: 1,
        fields.top_p: 0.5,
        fields.frequency_penalty: 0.25,
        fields.presence_penalty: -0.25,
        fields.seed: " 7 ",
        fields.candidates: 4,
        layout.composer.lines: MAX_LINES,
    }
    form = read_generation_form({**values, **given}, layout, SHOW)
    assert form.constraints == SpeakerConstraints("BEA", ("MR. PIKE",), ("FELIX",), "weary", False)
    assert form.sampling == SamplingSettings(1.0, 0.5, 0.25, -0.25)
    assert (form.lines, form.seed, form.candidates) == (MAX_LINES, 7, 4)

    choice = read_scene_form(values, layout, MODELS, SHOWS).choice
    request = form.make_request(choice, Random(1))
    assert request.provenance == Provenance("base", 7)
    assert request.constraints.tone == "weary"
    adapter = ModelChoice("jerry", "base", SHOW, "directed", has_own_show=True)
    request = form.make_request(adapter, Random(1))
    assert request.provenance == Provenance("jerry", 7, "base")
    assert request.constraints.tone == ""
    assert request.guidance == "She knows."


def test_what_cannot_be_read_is_refused(layout: Layout, values: dict[Any, Any]) -> None:
    fields = layout.generation
    for field, value, words in [
        (fields.seed, "x", "no seed"),
        (fields.temperature, 9, "between 0 and 2"),
        (fields.first, "1ST", "cannot be a character's name"),
        (layout.composer.lines, 0, "from 1 to 30 lines .* not 0"),
        (layout.composer.lines, -3, "from 1 to 30 lines .* not -3"),
        (layout.composer.lines, 100, "from 1 to 30 lines .* not 100"),
        (fields.candidates, 5, "from 2 to 4 takes .* not 5"),
    ]:
        with pytest.raises(UserError, match=words):
            read_generation_form({**values, field: value}, layout, SHOW)
