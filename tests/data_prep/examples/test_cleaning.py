from pathlib import Path

import pytest

from data_prep.episode import Speech, Turn
from data_prep.examples.cleaning import Reason, clean_speeches
from nothing_gpt.line import Line
from tests.data_prep.samples import table_show


@pytest.mark.parametrize(
    ("character", "dialogue", "line"),
    [
        ("ann", "Hi.", Line("ANN", "Hi.")),
        (" Ann Lee (angry) ", "Hi.", Line("ANN", "Hi.")),
        ("(sotto) UNCLE  LEO", "Hi.", Line("UNCLE LEO", "Hi.")),
        ("MR. PITT", "(sits) Well,\n\tthen (stands).", Line("MR. PITT", "Well, then .")),
        ("MAN #1", "None", Line("MAN #1", "None")),
        ("O'BRIEN", "[aside] What (now?", Line("O'BRIEN", "[aside] What (now?")),
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
        (Speech("E1", "ANN & BOB", "Hi."), Reason.NOT_A_NAME, "ANN & BOB"),
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
