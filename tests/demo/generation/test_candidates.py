"""Several candidates at once, each with its own answer of the server."""

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
REQUEST = GenerationRequest(SHOW, "directed", Provenance("unclaimed", 7), 2)
MODELS = [{"id": "unclaimed"}, {"id": "pocket"}]
FIRST, SECOND = cut("[FELIX] Let me.\n[BEA] Why?\n"), cut("[JUNE] Tea.\n[DOT] No.\n")


def started() -> Session:
    session = Session()
    session.write(SHOW, "DOT", "It is ringing.")
    return session


async def run(
    session: Session, url: str, requests: tuple[GenerationRequest, ...], *, blind: bool = False
) -> list[CandidateSet]:
    steps = session.write_candidates(ModelClient(url, "none"), requests, blind=blind)
    return [candidate_set async for candidate_set in steps]


def spoken(session: Session) -> str:
    return " ".join(line.speaker for line in session.scene.lines)


def test_every_take_is_kept_as_a_branch_and_one_is_chosen() -> None:
    session, requests = started(), vary_seeds(REQUEST, 3, 1)
    with fake_endpoint(Script(pieces=FIRST, later=[SECOND, FIRST])) as server:
        asyncio.run(run(session, server.url, requests))
        seeds = {request["seed"] for request in server.requests}
    assert seeds == {each.provenance.seed for each in requests}
    assert len(seeds) == 3
    assert spoken(session) == "DOT"
    assert session.candidate_set is not None
    assert [each.state for each in session.candidate_set.candidates] == ["done"] * 3
    assert [each.outcome for each in session.candidate_set.candidates] == [
        "2 lines by unclaimed."
    ] * 3

    session.choose_candidate(1)
    chosen = session.candidate_set.candidates[1]
    assert session.scene == Scene((Entry("It is ringing.", "DOT"), *chosen.entries))
    assert len(session.branches) == 3
    assert [branch.current for branch in session.branches].count(True) == 1
    session.choose_candidate(0)
    first = session.candidate_set.candidates[0].lines
    assert session.scene.lines[1:] == first
    session.undo()
    assert spoken(session) == "DOT"
    session.redo()
    assert session.scene.lines[1:] == first


def test_takes_grow_side_by_side() -> None:
    session = started()
    with fake_endpoint(Script(pieces=FIRST, later=[FIRST], delay=0.03)) as server:
        seen = asyncio.run(run(session, server.url, vary_seeds(REQUEST, 2, 1)))
    both = [[len(each.lines) for each in candidate_set.candidates] for candidate_set in seen]
    assert any(counts == [1, 1] for counts in both)
    assert all(each.growing is None for each in seen[-1].candidates)


def test_closing_all_stops_the_server_and_keeps_what_is_there() -> None:
    session = started()

    async def close_early(url: str) -> None:
        steps = session.write_candidates(ModelClient(url, "none"), vary_seeds(REQUEST, 2, 1))
        async for candidate_set in steps:
            if all(each.lines for each in candidate_set.candidates):
                break
        await steps.aclose()

    with fake_endpoint(Script(pieces=FIRST, later=[FIRST], hang_after=5)) as server:
        asyncio.run(close_early(server.url))
        assert server.disconnected.wait(5)
    assert not session.writing
    assert session.candidate_set is not None
    assert [each.state for each in session.candidate_set.candidates] == ["stopped", "stopped"]
    session.choose_candidate(0)
    assert spoken(session) == "DOT FELIX"


def test_a_take_that_fails_says_why_and_cannot_be_chosen() -> None:
    session = started()
    requests = (REQUEST, replace(REQUEST, provenance=Provenance("gone", 7)))
    with fake_endpoint(Script(pieces=FIRST)) as server:
        asyncio.run(run(session, server.url, requests))
    assert session.candidate_set is not None
    assert session.candidate_set.candidates[1].state == "failed"
    assert "no model 'gone'" in session.candidate_set.candidates[1].outcome
    with pytest.raises(UserError, match="no line is in that take"):
        session.choose_candidate(1)
    with pytest.raises(UserError, match="no longer here"):
        session.choose_candidate(2)
    session.choose_candidate(0)
    assert spoken(session) == "DOT FELIX BEA"


def test_blind_models_are_told_after_the_choice_alone() -> None:
    session = started()
    requests = (REQUEST, replace(REQUEST, provenance=Provenance("pocket", 7, "base")))
    with fake_endpoint(Script(models=MODELS, pieces=FIRST, later=[FIRST])) as server:
        asyncio.run(run(session, server.url, requests, blind=True))
    candidate_set = session.candidate_set
    assert candidate_set is not None
    assert [candidate_set.name(0), candidate_set.name(1)] == ["A", "B"]
    session.choose_candidate(0)
    candidate_set = session.candidate_set
    assert candidate_set is not None
    assert {candidate_set.name(0), candidate_set.name(1)} in (
        {"A: unclaimed", "B: pocket"},
        {"A: pocket", "B: unclaimed"},
    )
    assert session.scene.last_take == candidate_set.candidates[0].request.provenance


def test_the_blind_order_tells_nothing() -> None:
    def first_model(seed: int) -> str:
        models = [Provenance("unclaimed", seed), Provenance("pocket", seed)]
        pair = [replace(REQUEST, provenance=each) for each in models]
        return shuffle_requests(pair)[0].provenance.model

    assert {first_model(seed) for seed in range(20)} == {"unclaimed", "pocket"}


def test_nothing_else_is_written_meanwhile() -> None:
    session = started()

    async def interrupt(url: str) -> None:
        steps = session.write_candidates(ModelClient(url, "none"), vary_seeds(REQUEST, 2, 1))
        await anext(steps)
        with pytest.raises(UserError, match="still writing"):
            session.write(SHOW, "DOT", "Wait.")
        with pytest.raises(UserError, match="still writing"):
            session.switch(0)
        session.dismiss_candidates()
        assert session.candidate_set is not None
        await steps.aclose()

    with fake_endpoint() as server:
        asyncio.run(interrupt(server.url))
    session.dismiss_candidates()
    assert session.candidate_set is None
