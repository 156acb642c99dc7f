"""A judge: asked in both orders, once, and refused if it judges places or talks."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from evaluation.judge.judging import Judgement, JudgeRequest, describe_judgement, judge_scenes
from evaluation.judge.question import read_answer
from nothing_gpt.errors import UserError
from tests.evaluation.conftest import Kept
from tests.fake_endpoint import FakeEndpoint, Script, fake_endpoint

PAIRS = 30


@dataclass(frozen=True)
class Court:
    """Two models' kept scenes, and a server whose only model judges."""

    kept: Kept
    server: FakeEndpoint

    def judge(self, reply: Callable[[str, str], str], *, yes: bool = True) -> Judgement:
        self.server.script.reply = lambda body: reply(*list_sides(body))
        url = self.server.url
        request = JudgeRequest(self.kept.show, ("one", "two"), "critic", url, PAIRS, 4, yes)
        return judge_scenes(request, self.kept.workspace)


@pytest.fixture
def court(kept: Kept) -> Iterator[Court]:
    for model in ("one", "two"):
        kept.keep_run(model, samples=3)
    with fake_endpoint(Script(models=[{"id": "critic"}])) as server:
        yield Court(kept, server)


def list_sides(body: dict[str, Any]) -> tuple[str, str]:
    """Return the two continuations of a question."""
    text = body["messages"][-1]["content"]
    first, second = text.split("Continuation 1:")[1].split("Continuation 2:")
    return first.strip(), second.split("Which is")[0].strip()


def prefer_long(first: str, second: str) -> str:
    return "1" if (len(first), first) > (len(second), second) else "Continuation 2."


def prefer_first_of_some(first: str, second: str) -> str:
    """Judge places in an eighth of the pairs."""
    return "1" if sum(map(ord, first + second)) % 8 == 0 else prefer_long(first, second)


def test_a_judge_with_a_taste_is_kept_and_asked_once(court: Court) -> None:
    judgement = court.judge(prefer_long)
    assert len(court.server.requests) == 2 * PAIRS
    assert (judgement.consistent.count, judgement.consistent.total) == (PAIRS, PAIRS)
    assert judgement.first_shown.value == 0.5
    assert judgement.ranking.pairwise[0].won.total == PAIRS
    body = court.server.requests[0]
    assert court.kept.show.title in body["messages"][0]["content"]
    assert "The scene so far:\n\n[" in body["messages"][1]["content"]
    assert (body["temperature"], body["max_tokens"]) == (0, 16)

    again = court.judge(prefer_long, yes=False)
    assert again == judgement
    assert len(court.server.requests) == 2 * PAIRS


def test_what_a_judge_says_in_one_order_only_does_not_count(court: Court) -> None:
    judgement = court.judge(prefer_first_of_some)
    rows = dict(describe_judgement(judgement))
    kept = judgement.consistent
    assert PAIRS / 2 < kept.count < PAIRS
    assert judgement.ranking.pairwise[0].won.total == kept.count
    assert 0.5 < judgement.first_shown.value <= 0.6
    assert rows["the one shown first wins"].endswith(f"of {2 * PAIRS}")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("1", r"shown first in 100% \[84, 100\] of 20 answers"),
        ("2", r"shown first in 0% \[0, 16\] of 20 answers"),
        ("Both 1 and 2 are fine.", r"in 20 of 20 answers; one is 'Both 1"),
        ("", r"named no continuation, or both, in 20 of 20"),
    ],
)
def test_a_judge_of_places_and_one_that_talks_are_refused_early(
    court: Court, answer: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        court.judge(lambda *_: answer)
    assert len(court.server.requests) == 20


def test_a_judge_that_favours_a_place_is_refused_at_the_end(court: Court) -> None:
    def reply(first: str, second: str) -> str:
        return "1" if sum(map(ord, first + second)) % 3 == 0 else prefer_long(first, second)

    with pytest.raises(UserError, match=r"of 60 answers: it judges places"):
        court.judge(reply)


def test_answers_that_arrived_are_kept_when_the_server_fails(court: Court) -> None:
    def fail_later(first: str, second: str) -> str:
        if len(court.server.requests) > 30:
            court.server.script.status = 400
        return prefer_long(first, second)

    with pytest.raises(UserError, match="Error code: 400 - as the test says"):
        court.judge(fail_later)
    court.server.script.status, court.server.requests[:] = 200, []
    court.judge(prefer_long)
    assert 0 < len(court.server.requests) <= 2 * PAIRS - 25


def test_the_command_says_the_cost_and_asks_nothing_before_it_is_agreed_to(court: Court) -> None:
    court.server.script.reply = lambda body: prefer_long(*list_sides(body))
    options = ["--show", "unclaimed", "--model", "one", "--against", "two"]
    judge = ["--judge", "critic", "--judge-url", court.server.url, "--pairs", "12"]

    def run(*more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "evaluation", *options, *judge, *more],
            env=os.environ | {"NOTHING_GPT_WORKSPACE": str(court.kept.workspace.root)},
            capture_output=True,
            text=True,
        )

    refused = run()
    assert refused.returncode == 1
    assert "error: 24 requests to 'critic' at http" in refused.stderr
    assert "tokens to read, and at most 384 to write; add --yes" in refused.stderr
    assert court.server.requests == []
    done = run("--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("24 requests to 'critic'")
    assert "the same choice in both orders: 100% [76, 100] of 12" in done.stdout


@pytest.mark.parametrize(
    ("text", "place"),
    [("1", 0), (" 2.\n", 1), ("Continuation 1", 0), ("12", None), ("1 or 2", None), ("", None)],
)
def test_an_answer_names_one_place(text: str, place: int | None) -> None:
    assert read_answer(text) == place
