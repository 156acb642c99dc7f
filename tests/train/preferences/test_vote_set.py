"""Which votes an adapter can learn from."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from nothing_gpt.errors import UserError
from nothing_gpt.line import Line
from nothing_gpt.prompt import build_completion
from nothing_gpt.show import Show
from nothing_gpt.votes.vote import Rating, Vote
from tests.train.preferences.conftest import WRITER, make_vote
from train.data.chat_example import ChatExample
from train.preferences.vote_set import VoteSet, collect_votes

HELD_OUT = "Nobody must ever see this line in training."


def make_example(text: str) -> ChatExample:
    return {
        "prompt": [
            {"role": "system", "content": "Continue the scene."},
            {"role": "user", "content": f"[DOT] {text}"},
        ],
        "completion": [{"role": "assistant", "content": "[FELIX] Well then."}],
    }


def collect(votes: Sequence[Vote | Rating], show: Show) -> VoteSet:
    training = [make_example("We open at nine and we close at five.")]
    return collect_votes(votes, show, "script", training, [make_example(HELD_OUT)], seed=0)


def vote(show: Show, context: str = "Here.", chosen: str = "Yes?", rejected: str = "No.") -> Vote:
    first, second, third = ([Line("DOT", text)] for text in (context, chosen, rejected))
    return make_vote(show, first, second, third)


def list_prompts(votes: Sequence[Vote | Rating]) -> set[str]:
    return {each.prompt[1]["content"] for each in votes}


def test_votes_are_split_by_prompts(show: Show) -> None:
    votes = [vote(show, f"Scene {i // 2}.", f"Yes {i}?") for i in range(40)]
    found = collect(votes, show)
    assert (len(found.training), len(found.held_out)) == (32, 8)
    assert not list_prompts(found.training) & list_prompts(found.held_out)
    assert found.sources == {"take": 1.0}
    assert found.left_out == {}
    assert collect(votes, show) == found


def test_what_cannot_be_learned_from_is_counted_by_its_reason(show: Show) -> None:
    other_show = replace(vote(show), show="other")
    other_format = replace(vote(show), format="directed")
    directed = replace(
        vote(show),
        prompt=(
            {"role": "system", "content": f"{show.system}\n\nPremise: X"},
            *vote(show).prompt[1:],
        ),
    )
    good = vote(show, "Good.")
    again = [vote(show, "Again."), vote(show, "Again.")]
    both = [vote(show, "Both.", "A?", "B."), vote(show, "Both.", "B.", "A?")]
    many = [vote(show, "Many.", f"{i}?") for i in range(5)]
    secret = vote(show, HELD_OUT)
    votes = [other_show, other_format, directed, good, *again, *both, *many, secret]
    found = collect(votes, show)
    assert found.left_out == {
        "of the show 'other'": 1,
        "their prompts are not of the format 'script'": 2,
        "on held-out episodes": 1,
        "the same two texts again": 1,
        "both texts won: contradicting votes": 2,
        "more than 2 on one prompt": 3,
    }
    assert found.count == 4
    assert (found.agreement.count, found.agreement.total) == (1, 2)


def test_files_without_a_usable_vote_are_refused_in_one_message(show: Show) -> None:
    votes = [replace(vote(show), show="other"), vote(show, HELD_OUT)]
    with pytest.raises(UserError, match=r"1 .of the show 'other'., 1 .on held-out episodes.") as e:
        collect(votes, show)
    assert "\n" not in str(e.value)
    with pytest.raises(UserError, match="the files are empty"):
        collect([], show)


@pytest.mark.parametrize(("chosen", "first"), [(0, 1.0), (1, 0.5), (2, 0.0)])
def test_a_choice_among_several_takes_counts_once(show: Show, chosen: int, first: float) -> None:
    takes = ["A?", "B.", "C!"]
    votes = [
        replace(
            vote(show, "Here.", takes[chosen], take), chosen_place=chosen, rejected_place=place
        )
        for place, take in enumerate(takes)
        if place != chosen
    ]
    found = collect(votes, show).first_won
    assert (found.count, found.total) == (first, 1)


def test_ratings_are_votes_too(show: Show) -> None:
    prompt = vote(show).prompt
    completion = tuple(build_completion([Line("DOT", "Yes?")]))
    rating = Rating(prompt, completion, True, "gate", show.name, WRITER)
    found = collect([rating, vote(show, "Good.")], show)
    assert found.sources == {"gate": 0.5, "take": 0.5}
