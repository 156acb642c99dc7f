import json
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from demo.generation.request import (
    CONTEXT_CHARACTERS,
    CONTEXT_TURNS,
    GenerationRequest,
    build_payload,
    find_memory_start,
    select_context,
)
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.line import Line, collapse
from nothing_gpt.prompt import Direction, build_messages
from nothing_gpt.show import load_show

SHOW = load_show("unclaimed")
WORDS = st.text(min_size=1, max_size=40).map(collapse).filter(bool)
LINES = st.lists(st.builds(Line, st.sampled_from(["DOT", "BEA", "JUNE"]), WORDS))


def test_what_one_speaker_says_in_a_row_is_joined_as_in_training() -> None:
    lines = [Line("DOT", "No."), Line("BEA", "One."), Line("BEA", "Two."), Line("DOT", "No.")]
    assert select_context(lines) == [lines[0], Line("BEA", "One. Two."), lines[3]]


@given(LINES)
def test_the_context_is_the_end_of_the_scene_and_bounded(lines: list[Line]) -> None:
    context = select_context(lines)
    assert len(context) <= CONTEXT_TURNS
    assert sum(len(turn.text) for turn in context) <= CONTEXT_CHARACTERS
    assert all(a.speaker != b.speaker for a, b in pairwise(context))
    text = " ".join(turn.text for turn in context)
    assert " ".join(line.text for line in lines).endswith(text)
    assert bool(context) == bool(lines)


def test_long_speeches_push_old_ones_out_but_the_last_is_always_told() -> None:
    long = "word " * 1000
    lines = [Line("DOT", "Early."), Line("BEA", collapse(long)), Line("DOT", "Late.")]
    assert select_context(lines) == [lines[2]]

    (turn,) = select_context(lines[:2])
    assert turn.speaker == "BEA"
    assert turn.text.startswith("word word")
    assert CONTEXT_CHARACTERS - 10 < len(turn.text) <= CONTEXT_CHARACTERS


def test_the_request_is_what_training_showed() -> None:
    scene = Scene((Entry("No.", "DOT"), Entry("He leaves.")), Direction("Tea.", "", ("DOT",)))
    request = GenerationRequest(SHOW, "directed", Provenance("unclaimed", 7), lines=30)
    payload = build_payload(request, scene)

    assert payload["messages"] == build_messages(SHOW, "directed", scene.lines, scene.direction)
    assert payload["messages"][1]["content"] == "[DOT] No."
    assert (payload["model"], payload["seed"], payload["stream"]) == ("unclaimed", 7, True)
    assert payload["temperature"] == SHOW.generation.temperature
    assert payload["max_tokens"] >= 30 * 30
    json.dumps(payload)


def test_the_token_limit_is_the_payloads_and_can_be_lowered() -> None:
    request = GenerationRequest(SHOW, "directed", Provenance("unclaimed", 7), lines=30)
    scene = Scene((Entry("No.", "DOT"),))
    assert build_payload(request, scene)["max_tokens"] == request.max_tokens
    lowered = request.with_max_tokens(40)
    assert lowered.max_tokens == 40
    assert build_payload(lowered, scene) == build_payload(request, scene) | {"max_tokens": 40}


@given(LINES, st.integers(1, 900))
def test_the_memory_begins_at_the_first_line_that_is_sent(lines: list[Line], times: int) -> None:
    entries = [Entry("A bell rings.")]
    for line in lines:
        long = " ".join([line.text] * times)[:CONTEXT_CHARACTERS]
        entries += [Entry(collapse(long), line.speaker), Entry("A bell rings.")]
    start = find_memory_start(entries)
    sent = select_context(Scene(tuple(entries)).lines)
    assert select_context(Scene(tuple(entries[start:])).lines) == sent
    assert (
        Scene(tuple(entries[start:])).lines[:1] == Scene(tuple(entries[start : start + 1])).lines
    )
    if start < len(entries):
        turns = select_context(Scene(tuple(entries[start:])).lines)
        assert turns[0].speaker == entries[start].speaker


def test_what_happened_before_comes_first_in_the_premise_or_in_the_instructions() -> None:
    scene = Scene((Entry("No.", "DOT"),), Direction("Tea."))
    request = GenerationRequest(
        SHOW,
        "directed",
        Provenance("unclaimed", 7),
        lines=8,
        guidance="It boils.",
        before="A hat is lost.",
    )
    system = build_payload(request, scene)["messages"][0]["content"]
    assert "Premise: Before: A hat is lost. Now: Tea. It boils." in system
    alone = replace(request, guidance="")
    system = build_payload(alone, Scene(scene.entries))["messages"][0]["content"]
    assert "Premise: Before: A hat is lost." in system
    assert "Now:" not in system
    system = build_payload(replace(request, has_own_show=False), scene)["messages"][0]["content"]
    assert "Premise: Tea." in system
    assert "What happened before: A hat is lost." in system
