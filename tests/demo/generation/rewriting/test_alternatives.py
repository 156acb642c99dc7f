"""Alternatives of lines in the middle of a scene."""

import asyncio
from collections.abc import Callable

import pytest

from demo.generation.candidates import vary_seeds
from demo.generation.client import ModelClient
from demo.generation.request import GenerationRequest
from demo.scene.scene import Entry, Provenance, Scene
from demo.session.rewriting import rewrite_passage
from demo.session.session import Session
from nothing_gpt.errors import UserError
from nothing_gpt.show import load_show
from tests.fake_endpoint import FakeEndpoint, cut, fake_endpoint

SHOW = load_show("unclaimed")
ENTRIES = (
    Entry("One.", "DOT"),
    Entry("Two.", "FELIX"),
    Entry("A bell rings."),
    Entry("Three.", "JUNE"),
    Entry("Four.", "DOT"),
)
ANSWERS = ["[FELIX] Good.\n", "[FELIX] Best.\n", "[FELIX] Bad.\n"]
SCORES = {"Good.": -2.0, "Best.": -1.0, "Bad.": -3.0}


def score(prompt: str) -> float:
    return next(value for word, value in SCORES.items() if word in prompt)


def rewrite(
    session: Session,
    index: int,
    count: int,
    answers: list[str],
    scoring: Callable[[str], float] | None = score,
    guidance: str = "",
    alternatives: int | None = None,
) -> FakeEndpoint:
    """Have alternatives written: as many as there are answers, unless it says how many."""
    was = [entry.words for entry in session.scene.entries[index : index + count]]
    request = GenerationRequest(SHOW, "directed", Provenance("unclaimed", 1), 1, guidance=guidance)

    async def run(server: FakeEndpoint) -> None:
        client = ModelClient(server.url, "none")
        requests = vary_seeds(request, alternatives or len(answers), 1)
        async for _ in rewrite_passage(session, client, requests, index, was):
            pass

    with fake_endpoint() as server:
        server.script.score = scoring
        server.script.pieces, *server.script.later = map(cut, answers)
        asyncio.run(run(server))
    return server


def started() -> Session:
    session = Session()
    session.history = session.history.change(Scene(ENTRIES))
    return session


def found(session: Session) -> list[str]:
    assert session.alternative_set is not None
    return [each[0].text for each in session.alternative_set.alternatives]


def test_the_speaker_stays_and_the_best_for_what_follows_is_first() -> None:
    session = started()
    server = rewrite(session, 1, 1, ANSWERS)
    assert found(session) == ["Best.", "Good.", "Bad."]
    assert "best first" in session.status.text
    written = [body for body in server.requests if "messages" in body]
    assert {body["messages"][1]["content"] for body in written} == {"[DOT] One."}
    lock = written[0]["structured_outputs"]["regex"]
    assert lock.startswith(r"\[(?:FELIX)\]")
    scored = [body for body in server.requests if "prompt" in body]
    assert all(body["prompt"].endswith("\n[JUNE] Three.\n[DOT] Four.") for body in scored)
    assert session.scene.entries == ENTRIES


def test_a_server_without_log_probabilities_leaves_them_as_they_came() -> None:
    session = started()
    rewrite(session, 1, 1, ANSWERS, scoring=None)
    assert sorted(found(session)) == ["Bad.", "Best.", "Good."]
    assert session.status.text.endswith("unranked: the server gives no log-probabilities.")


def test_the_last_line_has_nothing_to_be_ranked_by() -> None:
    session = started()
    rewrite(session, 4, 1, ["[DOT] Last.\n"])
    assert session.status.text.endswith("unranked: no line follows.")


def test_several_lines_keep_their_speakers_and_stage_directions() -> None:
    session = started()
    rewrite(session, 1, 3, ["[FELIX] Good.\n", "[JUNE] Yes.\n"], alternatives=1)
    assert session.alternative_set is not None
    (alternative,) = session.alternative_set.alternatives
    assert [entry.words for entry in alternative] == [
        ("FELIX", "Good."),
        (None, "A bell rings."),
        ("JUNE", "Yes."),
    ]


def test_a_kept_alternative_is_one_undo_away_and_says_who_wrote_it() -> None:
    session = started()
    rewrite(session, 1, 1, ANSWERS)
    assert session.alternative_set is not None
    best = session.alternative_set.alternatives[0]
    session.delete(0, ("DOT", "One."))
    session.replace_passage(1, [("FELIX", "Two.")], best)
    assert [entry.text for entry in session.scene.entries] == [
        "Best.",
        "A bell rings.",
        "Three.",
        "Four.",
    ]
    assert session.scene.entries[0].origin == "model"
    assert session.alternative_set is None
    session.undo()
    assert session.scene.entries == ENTRIES[1:]


def test_a_gap_is_filled_by_anyone_and_nothing_is_replaced() -> None:
    session = started()
    rewrite(session, 1, 0, ["[JUNE] Good.\n"])
    assert session.alternative_set is not None
    session.replace_passage(1, [], session.alternative_set.alternatives[0])
    assert [entry.text for entry in session.scene.entries][:3] == ["One.", "Good.", "Two."]


def test_an_instruction_goes_to_the_end_of_the_premise() -> None:
    session = started()
    server = rewrite(session, 1, 1, ANSWERS, guidance="She already knows.")
    system = server.requests[0]["messages"][0]["content"]
    assert system.endswith("Premise: She already knows.")


@pytest.mark.parametrize(("index", "count"), [(0, 1), (0, 0), (2, 1)])
def test_what_a_model_cannot_write_is_refused(index: int, count: int) -> None:
    session = started()
    with pytest.raises(UserError, match="speaks"):
        rewrite(session, index, count, ANSWERS)
    assert not session.writing


def test_a_passage_that_changed_is_refused() -> None:
    session = started()
    with pytest.raises(UserError, match="has changed meanwhile"):
        session.replace_passage(1, [("FELIX", "Other.")], ENTRIES[:1])
