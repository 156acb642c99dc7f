"""Candidates belong to the version that they were made for; what is written meanwhile stays."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from demo.generation.client import ModelClient
from demo.generation.request import GenerationRequest
from demo.scene.scene import Provenance
from demo.session.session import Session
from nothing_gpt.show import load_show
from tests.fake_endpoint import cut, fake_endpoint

SHOW = load_show("unclaimed")


def texts(session: Session) -> list[str]:
    return [entry.text for entry in session.scene.entries]


@pytest.fixture
def session() -> Session:
    """A scene of two lines, with two candidates of two lines to choose from."""
    session = Session()
    session.write(SHOW, "DOT", "One.")
    session.write(SHOW, "FELIX", "Two.")

    async def write() -> None:
        with fake_endpoint() as server:
            server.script.pieces = cut("[JUNE] Taken.\n[BEA] Too.\n")
            requests = [
                GenerationRequest(SHOW, "directed", Provenance("unclaimed", seed), 2)
                for seed in (1, 2)
            ]
            async for _ in session.write_candidates(ModelClient(server.url, "none"), requests):
                pass

    asyncio.run(write())
    return session


def test_a_line_written_meanwhile_stays_before_the_chosen_lines(session: Session) -> None:
    session.write(SHOW, "DOT", "My own.")
    session.revise(SHOW, 0, ("DOT", "One."), ("DOT", "First."))
    session.choose_candidate(1)
    assert texts(session) == ["First.", "Two.", "My own.", "Taken.", "Too."]
    session.undo()
    assert texts(session) == ["First.", "Two.", "My own."]
    session.redo()
    assert texts(session) == ["First.", "Two.", "My own.", "Taken.", "Too."]


def test_a_chosen_candidate_is_one_undo_away(session: Session) -> None:
    session.choose_candidate(0)
    assert texts(session) == ["One.", "Two.", "Taken.", "Too."]
    session.undo()
    assert texts(session) == ["One.", "Two."]


@pytest.mark.parametrize(
    "leave",
    [
        Session.undo,
        lambda session: session.switch(0),
        lambda session: session.surprise(SHOW, Random(1)),
        lambda session: session.start_from(SHOW.prompt.openings[0]),
    ],
)
def test_candidates_close_with_their_version(
    session: Session, leave: Callable[[Session], None]
) -> None:
    leave(session)
    assert session.candidate_set is None
    # They stay as other versions.
    assert sum(branch.lines == 4 for branch in session.branches) == 2
