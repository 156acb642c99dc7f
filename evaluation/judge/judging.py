"""One judging, from the kept scenes to the result."""

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from evaluation.generation.connection import Connection
from evaluation.judge.answers import Judge
from evaluation.judge.question import Question, ask_both_orders, read_answer
from evaluation.preference.kept_scenes import read_kept_scenes
from evaluation.preference.outcome import Ranking, count_wins
from evaluation.preference.pair import Pair, plan_pairs
from evaluation.preference.strength import Win
from nothing_gpt.errors import UserError
from nothing_gpt.files import fingerprint, locked_folder
from nothing_gpt.show import Show
from nothing_gpt.votes.share import Share
from nothing_gpt.workspace import Workspace

MOST_FIRST = 0.6
"""Share of answers for one place above which a judge is refused: it judges places."""

_EARLY = 20
"""Questions after which a judge that gives no answers, or judges places, is given up."""


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """What to judge, and by whom.

    Attributes:
        names: Models, runs, or the show's own scenes.
        pairs: How many, at most.
        is_agreed: Whether people agree to what the requests cost.
    """

    show: Show
    names: Sequence[str]
    model: str
    base_url: str
    pairs: int
    threads: int
    is_agreed: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge says.

    Attributes:
        consistent: Pairs of which it prefers the same text in both orders; only these count.
        first_shown: How often it prefers the text shown first.
        unread: Answers that name neither place, or both.
    """

    ranking: Ranking
    consistent: Share
    first_shown: Share
    unread: int


def judge_scenes(request: JudgeRequest, workspace: Workspace) -> Judgement:
    """Ask a judge about pairs of kept scenes.

    Raises:
        UserError: there are no such scenes, the cost is not agreed to, the server fails, or the
            judge gives no answers or judges places.
    """
    found = read_kept_scenes(request.show, request.names, workspace)
    pairs = plan_pairs(found)[: request.pairs]
    if not pairs:
        raise UserError("no two continuations of one context to compare; write more scenes")
    asked = {pair.id: ask_both_orders(request.show.title, pair) for pair in pairs}
    questions = [question for both in asked.values() for question in both]
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", request.model)
    state = fingerprint([request.model, request.base_url])[:8]
    folder = workspace.evaluation(request.show.name, f"judge-{name}-{state}")
    with (
        locked_folder(folder, "another judging writes here"),
        closing(Connection(request.base_url, "--judge-url")) as connection,
    ):
        judge = Judge(connection, request.model, folder / "answers.jsonl")
        unknown = judge.list_unknown(questions)
        if unknown:
            cost = judge.describe_cost(unknown)
            if not request.is_agreed:
                raise UserError(f"{cost}; add --yes to ask them, or --pairs for fewer")
            print(cost, flush=True)
        early = judge.ask(questions[:_EARLY], request.threads)
        check_answers(questions[:_EARLY], early, is_early=True)
        answers = judge.ask(questions, request.threads)
    check_answers(questions, answers)
    return count_answers([each.label for each in found], pairs, asked, answers)


def check_answers(
    questions: Sequence[Question], answers: Mapping[str, str], *, is_early: bool = False
) -> None:
    """Refuse a judge that gives no answers, or that judges places.

    Args:
        is_early: Whether more answers follow, so that the share of places must be surely wrong.

    Raises:
        UserError: with what it answers.
    """
    texts = [answers[each.key] for each in questions]
    unread = [text for text in texts if read_answer(text) is None]
    if 2 * len(unread) > len(texts):
        raise UserError(
            f"the judge named no continuation, or both, in {len(unread)} of {len(texts)} answers; "
            f"one is {unread[0][:60]!r}. It must answer with 1 or 2 and not think aloud: choose "
            "another model"
        )
    first = _count_first(texts)
    low, high = first.interval if is_early else (first.value, first.value)
    if low > MOST_FIRST or high < 1 - MOST_FIRST:
        raise UserError(
            f"the judge prefers the continuation shown first in {first} answers: it "
            f"judges places, not texts (no place may get more than {MOST_FIRST:.0%}). There is no "
            "verdict; choose another model"
        )


def _count_first(texts: Sequence[str]) -> Share:
    places = [place for text in texts if (place := read_answer(text)) is not None]
    return Share(places.count(0), len(places))


def count_answers(
    labels: Sequence[str],
    pairs: Sequence[Pair],
    asked: Mapping[str, tuple[Question, Question]],
    answers: Mapping[str, str],
) -> Judgement:
    """Count the pairs of which the same text is preferred in both orders."""
    contexts: dict[str, list[Win]] = {}
    for pair in pairs:
        places = [read_answer(answers[question.key]) for question in asked[pair.id]]
        # The second question shows the pair turned around.
        if None not in places and places[0] != places[1]:
            winner, loser = pair.sides if places[0] == 0 else pair.sides[::-1]
            contexts.setdefault(pair.context_text, []).append((winner.label, loser.label))
    texts = [answers[question.key] for pair in pairs for question in asked[pair.id]]
    return Judgement(
        ranking=count_wins(labels, contexts),
        consistent=Share(sum(map(len, contexts.values())), len(pairs)),
        first_shown=_count_first(texts),
        unread=sum(read_answer(text) is None for text in texts),
    )


def describe_judgement(judgement: Judgement) -> list[tuple[str, str]]:
    """Return what was counted, and the figure with its interval."""
    rows = [
        *judgement.ranking.describe(),
        ("the same choice in both orders", str(judgement.consistent)),
        ("the one shown first wins", str(judgement.first_shown)),
    ]
    return [*rows, ("answers not read", str(judgement.unread))] if judgement.unread else rows
