"""The votes of the simulated writer."""

import pytest

from benchmarks.preferences.simulated_writer import TASTES, vote_on_takes
from nothing_gpt.show import load_show

TAKES = ["[DOT] No!", "[DOT] Well, yes.\n[FELIX] Is it?", "[DOT] Is it? Is that so?", ""]


@pytest.mark.parametrize(("taste", "chosen"), [("questions", 2), ("calm", 1), ("short", 0)])
def test_the_take_that_suits_the_taste_wins(taste: str, chosen: int) -> None:
    show = load_show("unclaimed")
    votes = list(vote_on_takes(show, "unclaimed", "[DOT] Here.", TAKES, TASTES[taste]))
    assert votes
    assert {vote.chosen_place for vote in votes} == {chosen}
    assert {vote.chosen[0]["content"] for vote in votes} == {TAKES[chosen]}
    for vote in votes:
        assert vote.rejected[0]["content"] == TAKES[vote.rejected_place or 0]
        assert vote.prompt[1]["content"] == "[DOT] Here."


def test_a_writer_without_a_preference_does_not_vote() -> None:
    takes = ["[DOT] No.", "[DOT] Yes."]
    votes = vote_on_takes(load_show("unclaimed"), "x", "[DOT] A.", takes, TASTES["questions"])
    assert list(votes) == []
