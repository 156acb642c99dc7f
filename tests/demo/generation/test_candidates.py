"""Several continuations at once, each to a server of its own words."""

import asyncio
from dataclasses import replace

import pytest

from demo.generation.candidates import CandidateSet, shuffle_requests, vary_seeds
from demo.generation.client import ModelClient
from demo.generation.request import GenerationRequest
from demo.scene.scene import Entry, Provenance, Scene
from demo.session.session import Session
from nothing_gpt.errors import UserError
from nothing_gpt.show import load_show
from tests.fake_endpoint import Script, cut, fake_endpoint

SHOW = load_show("unclaimed")
ORDER = GenerationRequest(SHOW, "directed", Provenance("unclaimed", 7), 2)
MODELS = [{"id": "unclaimed"}, {"id": "pocket"}]
FIRST, SECOND = cut("[FELIX] Let me.\n[BEA] Why?\n"), cut("[JUNE] Tea.\n[DOT] No.\n")


def begun() -> Session:
    session = Session()
    session.write(SHOW, "DOT", "It is ringing.")
    return session


async def run(
    session: Session, url: str, orders: tuple[GenerationRequest, ...], *, blind: bool = False
) -> list[CandidateSet]:
    trials = session.write_takes(ModelClient(url, "none"), orders, blind=blind)
    return [takes async for takes in trials]


def spoken(session: Session) -> str:
    return " ".join(line.speaker for line in session.scene.lines)


def test_every_take_is_kept_as_a_branch_and_one_is_chosen() -> None:
    session, orders = begun(), vary_seeds(ORDER, 3, 1)
    with fake_endpoint(Script(pieces=FIRST, later=[SECOND, FIRST])) as server:
        asyncio.run(run(session, server.url, orders))
        seeds = {request["seed"] for request in server.requests}
    assert seeds == {order.take.seed for order in orders}
    assert len(seeds) == 3
    assert spoken(session) == "DOT"
    assert session.takes is not None
    assert [trial.state for trial in session.takes.trials] == ["done"] * 3
    assert [trial.said for trial in session.takes.trials] == ["2 lines by unclaimed."] * 3

    session.choose_take(1)
    chosen = session.takes.trials[1]
    assert session.scene == Scene((Entry("It is ringing.", "DOT"), *chosen.entries))
    assert len(session.branches) == 3
    assert [branch.current for branch in session.branches].count(True) == 1
    session.choose_take(0)
    assert session.scene.lines[1:] == session.takes.trials[0].lines
    session.undo()
    assert spoken(session) == "DOT"
    session.redo()
    assert session.scene.lines[1:] == session.takes.trials[0].lines


def test_takes_grow_side_by_side() -> None:
    session = begun()
    with fake_endpoint(Script(pieces=FIRST, later=[FIRST], delay=0.03)) as server:
        seen = asyncio.run(run(session, server.url, vary_seeds(ORDER, 2, 1)))
    both = [[len(trial.lines) for trial in takes.trials] for takes in seen]
    assert any(counts == [1, 1] for counts in both)
    assert all(trial.growing is None for trial in seen[-1].trials)


def test_closing_all_stops_the_server_and_keeps_what_is_there() -> None:
    session = begun()

    async def close_early(url: str) -> None:
        steps = session.write_takes(ModelClient(url, "none"), vary_seeds(ORDER, 2, 1))
        async for takes in steps:
            if all(trial.lines for trial in takes.trials):
                break
        await steps.aclose()

    with fake_endpoint(Script(pieces=FIRST, later=[FIRST], hang_after=5)) as server:
        asyncio.run(close_early(server.url))
        assert server.disconnected.wait(5)
    assert not session.writing
    assert session.takes is not None
    assert [trial.state for trial in session.takes.trials] == ["stopped", "stopped"]
    session.choose_take(0)
    assert spoken(session) == "DOT FELIX"


def test_a_take_that_fails_says_why_and_cannot_be_chosen() -> None:
    session = begun()
    orders = (ORDER, replace(ORDER, take=Provenance("gone", 7)))
    with fake_endpoint(Script(pieces=FIRST)) as server:
        asyncio.run(run(session, server.url, orders))
    assert session.takes is not None
    assert session.takes.trials[1].state == "failed"
    assert "no model 'gone'" in session.takes.trials[1].said
    with pytest.raises(UserError, match="no line is in that take"):
        session.choose_take(1)
    with pytest.raises(UserError, match="no longer here"):
        session.choose_take(2)
    session.choose_take(0)
    assert spoken(session) == "DOT FELIX BEA"


def test_blind_models_are_told_after_the_choice_alone() -> None:
    session = begun()
    orders = (ORDER, replace(ORDER, take=Provenance("pocket", 7, "base")))
    with fake_endpoint(Script(models=MODELS, pieces=FIRST, later=[FIRST])) as server:
        asyncio.run(run(session, server.url, orders, blind=True))
    takes = session.takes
    assert takes is not None
    assert [takes.name(0), takes.name(1)] == ["A", "B"]
    session.choose_take(0)
    takes = session.takes
    assert takes is not None
    assert {takes.name(0), takes.name(1)} in (
        {"A: unclaimed", "B: pocket"},
        {"A: pocket", "B: unclaimed"},
    )
    assert session.scene.last_take == takes.trials[0].order.take


def test_the_blind_order_tells_nothing() -> None:
    pair = (ORDER, replace(ORDER, take=Provenance("pocket", 7)))
    firsts = {
        shuffle_requests([replace(o, take=replace(o.take, seed=seed)) for o in pair])[0].take.model
        for seed in range(20)
    }
    assert firsts == {"unclaimed", "pocket"}


def test_nothing_else_is_written_meanwhile() -> None:
    session = begun()

    async def interrupt(url: str) -> None:
        steps = session.write_takes(ModelClient(url, "none"), vary_seeds(ORDER, 2, 1))
        await anext(steps)
        with pytest.raises(UserError, match="still writing"):
            session.write(SHOW, "DOT", "Wait.")
        with pytest.raises(UserError, match="still writing"):
            session.switch(0)
        session.put_takes_away()
        assert session.takes is not None
        await steps.aclose()

    with fake_endpoint() as server:
        asyncio.run(interrupt(server.url))
    session.put_takes_away()
    assert session.takes is None
