from typing import Any

import pytest

from evaluation.passages import Passage
from evaluation.resources.show_resources import ShowResources
from evaluation.rows import tally
from nothing_gpt.line import Line, MalformedLine

CONTEXT = (Line("DOT", "It does seem to be running late."),)
LINES = (
    Line("DOT", "It does."),
    Line("FELIX", "It does seem to be running late!"),  # said in the context
    Line("POSTMAN", "It DON\u2019T flarp."),
    Line("DOT", "Go on and go on and go on and go on."),  # a loop within a line
)
SCENE = Passage("E1", 0, CONTEXT, (*LINES, MalformedLine("and so on")), LINES)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (tally.count_parsed, (4, 5)),
        (tally.count_leads, (3, 4)),
        (tally.count_exclamations, (1, 4)),
        (tally.count_echoes, (2, 4)),
        (tally.count_words, (2 + 7 + 3 + 11, 4)),
        (tally.count_late_words, (3 + 11, 2)),
        (tally.count_speakers, (3, 1)),
        (tally.count_lines, (5, 1)),
    ],
)
def test_each_count_is_of_what_it_says(
    count: Any, expected: tuple[int, int], known: ShowResources
) -> None:
    assert count(SCENE, known) == expected


def test_only_long_lines_of_training_are_quotations(known: ShowResources) -> None:
    spoken = [turn for turns in known.episodes for turn in turns]
    long = next(turn for turn in spoken if len(turn.text.split()) > 8)
    short = next(turn for turn in spoken if len(turn.text.split()) < 4)
    own = Line("DOT", "Nobody has ever said these words here.")
    passage = Passage("E1", 0, CONTEXT, (), (long, short, own))
    assert tally.count_quotations(passage, known) == (1, 2)


def test_words_of_training_are_known(known: ShowResources) -> None:
    passage = Passage("E1", 0, CONTEXT, (), (Line("DOT", "It does flarp."),))
    assert tally.count_known_words(passage, known) == (2, 3)


def test_voices_are_judged_in_pools_of_one_lead_and_one_sample(known: ShowResources) -> None:
    said = {
        lead: [t for turns in known.episodes for t in turns if t.speaker == lead][:28]
        for lead in known.leads[:2]
    }
    lines = tuple(line for own in said.values() for line in own)
    pools = tally.count_voices([Passage("E1", 0, (), (), lines)], known)
    assert len(pools) == 2 * 3  # of 10, 10 and 8 lines
    assert sum(pool.amount for pool in pools) >= 5
    guests = [Line("POSTMAN", "A parcel.")] * 30
    few = [line for own in said.values() for line in own[:4]]
    assert tally.count_voices([Passage("E1", 0, (), (), (*guests, *few))], known) == []


def test_a_scene_that_goes_on_about_its_context_fits_it(known: ShowResources) -> None:
    topics = ("the umbrella is on the desk", "nobody wants sandwiches from the sea")
    passages = [
        Passage(f"E{at}", 0, (Line("DOT", topic),), (), (Line("FELIX", f"So {topic}?"),))
        for at, topic in enumerate(topics)
    ]
    assert [each.amount for each in tally.count_context_fit(passages, known)] == [1, 1]
    assert tally.count_context_fit(passages[:1], known) == []
