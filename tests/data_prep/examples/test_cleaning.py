from pathlib import Path

import pytest

from data_prep.episode import Speech, Turn
from data_prep.examples.cleaning import clean_speeches
from data_prep.examples.reason import Reason
from nothing_gpt.line import Line
from tests.data_prep.samples import TABLE_SHOW, table_show


@pytest.mark.parametrize(
    ("character", "dialogue", "line"),
    [
        ("ann", "Hi.", Line("ANN", "Hi.")),
        (" Ann Lee (angry) ", "Hi.", Line("ANN", "Hi.")),
        ("(sotto) UNCLE  LEO", "Hi.", Line("UNCLE LEO", "Hi.")),
        ("MR. PITT", "(sits) Well,\n\tthen (stands).", Line("MR. PITT", "Well, then .")),
        ("MAN #1", "None", Line("MAN #1", "None")),
        ("O'BRIEN", "[aside] What (now?", Line("O'BRIEN", "[aside] What (now?")),
        ("ann lee [on phone]", "Hi.", Line("ANN", "Hi.")),
        ("Ann’s “old” Friend:", "Hi.", Line("ANN'S OLD FRIEND", "Hi.")),
        ("E\u0301mile", "Hi.", Line("ÉMILE", "Hi.")),
        ("JEAN-PAUL 2", "(a) Yes (b)", Line("JEAN-PAUL 2", "Yes")),
    ],
)
def test_what_is_kept(tmp_path: Path, character: str, dialogue: str, line: Line) -> None:
    speech = Speech("E1", character, dialogue, "premise", "setting")
    cleaned = clean_speeches([speech], table_show(tmp_path))
    assert [episode.turns for episode in cleaned.episodes] == [[Turn(line, "premise", "setting")]]
    assert not cleaned.dropped


@pytest.mark.parametrize(
    ("speech", "reason", "evidence"),
    [
        (Speech("", "ANN", "Hi."), Reason.NO_EPISODE, "ANN: Hi."),
        (Speech("E1", "", "Hi."), Reason.NO_CHARACTER, ": Hi."),
        (Speech("E1", "ANN", ""), Reason.NO_DIALOGUE, "ANN"),
        (Speech("E1", "ANN & BOB", "Hi."), Reason.SEVERAL, "ANN & BOB"),
        (Speech("E1", "Both", "Hi."), Reason.SEVERAL, "Both"),
        (Speech("E1", "JIM & JOE", "Hi."), Reason.NOT_A_NAME, "JIM & JOE"),
        (Speech("E1", "“Ann”", "Hi."), Reason.NOT_A_NAME, "“Ann”"),
        (Speech("E1", "2ND MAN", "Hi."), Reason.NOT_A_NAME, "2ND MAN"),
        (Speech("E1", "A" * 26, "Hi."), Reason.NOT_A_NAME, "A" * 26),
        (Speech("E1", "(phone)", "Hi."), Reason.NOT_A_NAME, "(phone)"),
        (Speech("E1", "Sighs", "Hi."), Reason.STAGE_BUSINESS, "Sighs"),
        (Speech("E1", "ANN", "(nods) "), Reason.ONLY_ASIDE, "ANN: (nods)"),
    ],
)
def test_what_is_dropped_and_why(
    tmp_path: Path, speech: Speech, reason: Reason, evidence: str
) -> None:
    cleaned = clean_speeches([speech, speech], table_show(tmp_path))
    assert not cleaned.episodes
    assert cleaned.dropped == {reason: {evidence: 2}}


def test_episodes_keep_the_order_in_which_they_appear(tmp_path: Path) -> None:
    speeches = [Speech(episode, "ANN", str(i)) for i, episode in enumerate(["E2", "E1", "E2"])]
    cleaned = clean_speeches(speeches, table_show(tmp_path))
    assert [(e.id, [t.line.text for t in e.turns]) for e in cleaned.episodes] == [
        ("E2", ["0", "2"]),
        ("E1", ["1"]),
    ]


GROUPS = ["ANN & BOB", "Ann, Bob and Carl", "ANN/JIM", "Ann and Bob", "Both"]


@pytest.mark.parametrize(
    ("groups", "speakers"),
    [
        ("drop", ["CARL"]),
        ("keep", ["CARL", "ANN AND BOB", "BOTH"]),
        ("split", ["CARL", "ANN", "BOB", "ANN", "BOB", "CARL", "ANN", "JIM", "ANN", "BOB"]),
    ],
)
def test_speeches_of_several_people_are_a_choice_of_the_show(
    tmp_path: Path, groups: str, speakers: list[str]
) -> None:
    names = ["Carl", *GROUPS]
    text = TABLE_SHOW.replace('kind = "table"', f'kind = "table"\ngroups = "{groups}"')
    speeches = [Speech("E1", name, "Hi.") for name in names]
    cleaned = clean_speeches(speeches, table_show(tmp_path, text))
    assert [turn.line.speaker for turn in cleaned.episodes[0].turns] == speakers
    dropped = sum(texts.total() for texts in cleaned.dropped.values())
    assert cleaned.kept + dropped == len(names)


def test_an_alias_makes_a_name_of_any_text_and_case_makes_no_difference(tmp_path: Path) -> None:
    aliases = '["Ann Lee", "2nd Woman", "Ann & Friend", "E\\u0301LO"]'
    text = TABLE_SHOW.replace('["ANN LEE"]', aliases).replace('"SIGHS"', '"Sighs"')
    names = ["ANN LEE", "ann lee", "2ND WOMAN", "ann & friend", "Élo", "sighs"]
    cleaned = clean_speeches([Speech("E1", n, "Hi.") for n in names], table_show(tmp_path, text))
    assert {turn.line.speaker for turn in cleaned.episodes[0].turns} == {"ANN"}
    assert (cleaned.kept, cleaned.dropped) == (5, {Reason.STAGE_BUSINESS: {"sighs": 1}})


@pytest.mark.timeout(60)
@pytest.mark.parametrize("mark", ["(", "[", ")(", "(a) ("])
def test_long_rows_of_marks_take_linear_time(tmp_path: Path, mark: str) -> None:
    """Quadratic time would be an hour here."""
    long = mark * 1_000_000
    speeches = [Speech("E1", "ANN", long + "x"), Speech("E1", "A" + long, "Hi.")]
    cleaned = clean_speeches(speeches, table_show(tmp_path))
    assert cleaned.kept + sum(texts.total() for texts in cleaned.dropped.values()) == 2
