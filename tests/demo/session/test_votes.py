"""Votes: what a writer prefers."""

import asyncio
from pathlib import Path

import pytest

from demo.generation.client import ModelClient
from demo.generation.request import GenerationRequest
from demo.scene.scene import Provenance
from demo.session.session import Session
from nothing_gpt.show import load_show
from nothing_gpt.votes.vote_file import read_votes, write_votes
from tests.fake_endpoint import FakeEndpoint, cut, fake_endpoint

SHOW = load_show("unclaimed")
ANSWERS = [f"[JUNE] Answer {number}.\n[BEA] Yes.\n" for number in range(4)]


def make_request(seed: int, model: str = "unclaimed") -> GenerationRequest:
    return GenerationRequest(SHOW, "directed", Provenance(model, seed), 2)


def started() -> Session:
    session = Session()
    session.write(SHOW, "DOT", "One.")
    return session


async def take(session: Session, server: FakeEndpoint, number: int, *, retake: bool) -> None:
    server.script.pieces = cut(ANSWERS[number])
    client = ModelClient(server.url, "none")
    async for _ in session.continue_scene(client, make_request(number), retake=retake):
        pass


def take_all(session: Session, *, first: int = 0, last: int) -> None:
    """Have lines written and retaken: all but the first answer replace the one before."""

    async def run() -> None:
        with fake_endpoint() as server:
            for number in range(first, last + 1):
                await take(session, server, number, retake=number > 0)

    asyncio.run(run())


def choose(session: Session, models: list[str], index: int, *, blind: bool = False) -> None:
    async def run() -> None:
        with fake_endpoint() as server:
            server.script.models = [{"id": model} for model in models]
            server.script.later = [cut(text) for text in ANSWERS]
            requests = [make_request(seed, model) for seed, model in enumerate(models)]
            client = ModelClient(server.url, "none")
            async for _ in session.write_candidates(client, requests, blind=blind):
                pass

    asyncio.run(run())
    session.choose_candidate(index)


def pairs(session: Session) -> list[tuple[str, str]]:
    return [
        (vote.chosen[0]["content"].split("\n")[0], vote.rejected[0]["content"].split("\n")[0])
        for vote in session.votes
    ]


def test_a_chosen_take_is_preferred_to_each_other_one(tmp_path: Path) -> None:
    session = started()
    choose(session, ["unclaimed"] * 3, 1)
    assert [(vote.chosen_place, vote.rejected_place) for vote in session.votes] == [(1, 0), (1, 2)]
    assert [vote.first_won for vote in session.votes] == [False, True]
    vote = session.votes[0]
    assert (vote.kind, vote.format) == ("take", "directed")
    assert vote.prompt[-1]["content"] == "[DOT] One."
    assert vote.chosen_settings
    assert vote.chosen_settings["temperature"] == SHOW.generation.temperature
    path = tmp_path / "votes.jsonl"
    write_votes(path, session.votes)
    assert read_votes([path]) == session.votes


@pytest.mark.parametrize("blind", [True, False])
def test_a_comparison_names_both_models(*, blind: bool) -> None:
    session = started()
    choose(session, ["one", "two"], 0, blind=blind)
    (vote,) = session.votes
    assert vote.kind == ("blind comparison" if blind else "comparison")
    assert {vote.chosen_by.model, vote.rejected_by.model} == {"one", "two"}


def test_a_retake_counts_when_the_scene_goes_on_from_it() -> None:
    session = started()
    take_all(session, last=2)
    assert session.votes == []
    session.write(SHOW, "DOT", "Go on.")
    assert pairs(session) == [
        ("[JUNE] Answer 2.", "[JUNE] Answer 0."),
        ("[JUNE] Answer 2.", "[JUNE] Answer 1."),
    ]
    assert {vote.first_won for vote in session.votes} == {None}
    session.write(SHOW, "DOT", "And on.")
    assert len(session.votes) == 2


def test_an_undone_retake_prefers_the_lines_before() -> None:
    session = started()
    take_all(session, last=1)
    session.undo()
    session.write(SHOW, "DOT", "Go on.")
    assert pairs(session) == [("[JUNE] Answer 0.", "[JUNE] Answer 1.")]


def test_lines_that_a_person_changed_are_no_votes() -> None:
    session = started()
    take_all(session, last=1)
    session.revise(SHOW, 1, ("JUNE", "Answer 1."), ("JUNE", "Mine."))
    session.write(SHOW, "DOT", "Go on.")
    assert session.votes == []


def test_lines_from_before_the_page_was_loaded_have_no_settings() -> None:
    earlier = started()
    take_all(earlier, last=0)
    session = Session(history=earlier.history)
    take_all(session, first=1, last=1)
    session.write(SHOW, "DOT", "Go on.")
    (vote,) = session.votes
    assert vote.rejected_settings is None
    assert vote.chosen_settings is not None
