"""Continuations under constraints, with servers that can and cannot keep to the cast lock."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from demo.generation.client import ModelClient
from demo.generation.constraints import SpeakerConstraints
from demo.generation.continuation import continue_lines
from demo.generation.request import GenerationRequest
from demo.generation.stream import Progress
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line
from nothing_gpt.prompt import Direction
from nothing_gpt.show import load_show
from tests.fake_endpoint import FakeEndpoint, Script, cut, fake_endpoint

SHOW = load_show("unclaimed")
SCENE = Scene((Entry("It is ringing.", "DOT"),))
REQUEST = GenerationRequest(SHOW, "directed", Provenance("unclaimed", 7), 4)
LOCKED = [{"id": "unclaimed", "structured_outputs": True}]


def constrained(lines: int = 4, **constraints: Any) -> GenerationRequest:
    return replace(REQUEST, lines=lines, constraints=SpeakerConstraints(**constraints))


async def collect(client: ModelClient, request: GenerationRequest, scene: Scene) -> list[Progress]:
    await client.list_models()
    return [step async for step in continue_lines(client, request, scene)]


def run(server: FakeEndpoint, request: GenerationRequest, scene: Scene = SCENE) -> list[Progress]:
    return asyncio.run(collect(ModelClient(server.url, "none"), request, scene))


def speakers(steps: list[Progress]) -> str:
    return " ".join(line.speaker for step in steps for line in step.lines)


def test_a_server_that_can_is_held_to_the_cast_by_an_expression() -> None:
    scene = SCENE.with_direction(Direction(present=("DOT", "MR. PIKE")))
    with fake_endpoint(Script(models=LOCKED, pieces=["[MR. PIKE] No.\n[DOT] Yes."])) as server:
        steps = run(server, constrained(barred=("DOT",), first="MR. PIKE"), scene)
        regex = server.requests[0]["structured_outputs"]["regex"]
    assert re.fullmatch(regex, "[MR. PIKE] With respect.\n[MR. PIKE] No.")
    assert not re.fullmatch(regex, "[DOT] No.")
    assert (speakers(steps), steps[-1].lock) == ("MR. PIKE", "filter")


def test_a_lock_that_holds_is_the_servers() -> None:
    with fake_endpoint(Script(models=LOCKED)) as server:
        steps = run(server, constrained())
    assert (speakers(steps), steps[-1].lock, steps[-1].filtered) == (
        "DOT FELIX JUNE MR. PIKE",
        "server",
        0,
    )


def test_a_server_that_says_it_cannot_is_not_asked_to() -> None:
    script = Script(models=[{"id": "unclaimed", "structured_outputs": False}])
    script.pieces = cut("[GEORGE] Hi.\n[DOT] No.\n[ELAINE] Get out!\n[BEA] Why?\n")
    with fake_endpoint(script) as server:
        steps = run(server, constrained())
        assert "structured_outputs" not in server.requests[0]
    assert (speakers(steps), steps[-1].lock, steps[-1].filtered) == ("DOT BEA", "filter", 2)
    assert all(step.growing is None or step.growing.speaker in SHOW.names for step in steps)


def test_a_server_that_does_not_know_the_field_is_asked_again_without_it() -> None:
    with fake_endpoint(Script(unknown="structured_outputs")) as server:
        client = ModelClient(server.url, "none")
        steps = asyncio.run(collect(client, constrained(), SCENE))
        again = asyncio.run(collect(ModelClient(server.url, "none"), constrained(), SCENE))
        fields = ["structured_outputs" in request for request in server.requests]
    assert speakers(steps) == speakers(again) == "DOT FELIX JUNE MR. PIKE"
    assert steps[-1].lock == "filter"
    assert fields == [True, False, True, False]
    assert client.lockable == {"unclaimed": False}


def test_a_server_that_takes_the_field_and_ignores_it_is_found_out() -> None:
    with fake_endpoint(Script(pieces=cut("[GEORGE] Hi.\n[DOT] No.\n"))) as server:
        client = ModelClient(server.url, "none")
        steps = asyncio.run(collect(client, constrained(), SCENE))
        asyncio.run(collect(client, constrained(), SCENE))
        fields = ["structured_outputs" in request for request in server.requests]
    assert (speakers(steps), steps[-1].lock) == ("DOT", "filter")
    assert fields == [True, False]


def test_a_refusal_for_another_reason_is_told() -> None:
    with fake_endpoint(Script(models=LOCKED, unknown="seed")) as server:
        with pytest.raises(UserError, match="unknown field seed"):
            run(server, constrained())
        assert len(server.requests) == 1


def test_nobody_is_held_to_anything_if_that_is_wished() -> None:
    with fake_endpoint(Script(models=LOCKED, pieces=cut("[GEORGE] Hi.\n[DOT] No.\n"))) as server:
        steps = run(server, constrained(locked=False))
        assert "structured_outputs" not in server.requests[0]
    assert (speakers(steps), steps[-1].lock) == ("GEORGE DOT", "off")


def test_who_must_be_first_is_waited_for_where_nothing_forces_it() -> None:
    with fake_endpoint() as server:
        steps = run(server, constrained(lines=2, first="JUNE", locked=False))
    assert (speakers(steps), steps[-1].lock) == ("JUNE MR. PIKE", "filter")


def test_who_must_speak_is_asked_for_by_name_when_the_lines_run_out() -> None:
    later = [cut("[WALLY] In my day.\n[DOT] No.\n"), ["[BEA] Interesting.\n"]]
    with fake_endpoint(Script(models=LOCKED, later=later)) as server:
        steps = run(server, constrained(lines=4, required=("WALLY", "BEA", "DOT")))
        regexes = [request["structured_outputs"]["regex"] for request in server.requests]
        contexts = [request["messages"][1]["content"] for request in server.requests]
    assert speakers(steps) == "DOT FELIX WALLY BEA"
    assert [r.startswith(r"\[(?:WALLY)\]") for r in regexes] == [False, True, False]
    assert regexes[2].startswith(r"\[(?:BEA)\]")
    assert contexts[1].endswith("My shoe is undone.")
    assert contexts[2].endswith("[WALLY] In my day.")
    assert [step.ending for step in steps if step.ending] == ["enough"]
    assert steps[-1].lock == "server"


def test_who_must_speak_is_asked_for_when_the_model_ends_the_scene_without_them() -> None:
    script = Script(models=LOCKED, pieces=["[DOT] No.\n[FELIX] Why?\n"])
    with fake_endpoint(script) as server:
        steps = run(server, constrained(lines=8, required=("BEA",)))
        assert len(server.requests) == 2
    assert (speakers(steps), steps[-1].ending) == ("DOT FELIX", "finished")


def test_a_loop_is_the_end_and_its_last_line_left_out() -> None:
    once = "[DOT] It was never on the shelf.\n[BEA] Then who has put the shelf there, and when?\n"
    with fake_endpoint(Script(models=LOCKED, pieces=cut(once * 9), delay=0.001)) as server:
        steps = run(server, constrained(lines=12))
        assert server.disconnected.wait(5)
    assert speakers(steps) == "DOT BEA DOT"
    assert (steps[-1].ending, steps[-1].lines) == ("loop", ())


def test_the_speed_is_told() -> None:
    with fake_endpoint(
        Script(models=LOCKED, pieces=["[DOT] ", "No.", "\n[BEA]", " Why?"])
    ) as server:
        speed = run(server, constrained())[-1].speed
    assert (speed.tokens, speed.estimated) == (6, True)
    assert speed.first_line is not None
    assert speed.first_line > 0


def test_an_abandoned_continuation_stops_the_server() -> None:
    async def take_one(client: ModelClient) -> Line:
        steps = continue_lines(client, constrained(required=("WALLY",)), SCENE)
        async for step in steps:
            if step.lines:
                await steps.aclose()
                return step.lines[0]
        raise AssertionError

    with fake_endpoint(Script(models=LOCKED, hang_after=20)) as server:
        assert asyncio.run(take_one(ModelClient(server.url, "none"))).speaker == "DOT"
        assert server.disconnected.wait(5)


def test_a_cast_of_which_nobody_may_speak_is_refused_before_anything_is_asked() -> None:
    scene = SCENE.with_direction(Direction(present=("DOT",)))
    with fake_endpoint(Script(models=LOCKED)) as server:
        with pytest.raises(UserError, match="nobody may speak"):
            run(server, constrained(barred=("DOT",)), scene)
        assert server.requests == []
