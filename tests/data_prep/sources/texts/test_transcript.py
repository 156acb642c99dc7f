from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.episode import Reading
from data_prep.examples.cleaning import clean_speeches
from data_prep.line_counts import count_lines
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile
from nothing_gpt.show import load_show
from tests.data_prep.samples import CORPUS

TRANSCRIPT = """\
Title: The Key
Written by: Nobody

[Scene: The office. Ann waits.]

Ann: Where is it? I had it at 10:30,
and now it is gone.
BOB (from below): Not here.
Dr. O'Brien [on the phone]: Hello?
**Ann:** Yes.
(She hangs up.)
Rain.

Rain on the window. Bob leaves.

Setting: the pier
the Boy with the Dog: Sir?
ann: me.
[BOB] No.
"""


def read(text: str) -> Reading:
    return read_sources([SourceFile("e1.txt", text.encode())], CORPUS)


def test_a_transcript_gives_speeches_settings_and_directions() -> None:
    reading = read(TRANSCRIPT)
    office, pier = "The office. Ann waits.", "the pier"
    assert [(s.character, s.dialogue, s.setting, s.line) for s in reading.speeches] == [
        ("Ann", "Where is it? I had it at 10:30, and now it is gone.", office, 6),
        ("BOB", "Not here.", office, 8),
        ("Dr. O'Brien", "Hello?", office, 9),
        ("Ann", "Yes.", office, 10),
        ("Ann", "Rain.", office, 12),
        ("the Boy with the Dog", "Sir?", pier, 17),
        ("ann", "me.", pier, 18),
        ("BOB", "No.", pier, 19),
    ]
    assert (reading.settings, reading.directions) == (2, 2)
    assert reading.left_out == {"title page": {"Title: The Key": 1, "Written by: Nobody": 1}}
    assert reading.speeches[0].premise == "The Key"


def test_a_name_in_lower_case_counts_if_it_speaks_twice() -> None:
    reading = read("ann: Hi.\nbob: Hi.\nann: Well?\n\nwell then: no.\nAnn: Yes.\nBob: No.\n")
    assert [s.character for s in reading.speeches] == ["ann", "bob", "ann", "Ann", "Bob"]
    assert [(miss.line, miss.text) for miss in reading.near_misses] == [(5, "well then: no.")]


def test_a_transcript_can_be_in_lower_case() -> None:
    reading = read("ann: hi.\nbob: hi.\nann: well?\nbob: no.\n")
    assert [s.character for s in reading.speeches] == ["ann", "bob", "ann", "bob"]


def test_names_above_their_words_are_cues_too() -> None:
    reading = read("Ann: Hi.\nBob:\nNo.\nNever.\n\nBOB\nWhat?\n")
    assert [(s.character, s.dialogue, s.lines) for s in reading.speeches] == [
        ("Ann", "Hi.", 1), ("Bob", "No. Never.", 3),
    ]  # fmt: skip
    assert [miss.text for miss in reading.near_misses] == ["BOB"]


def test_screenplays_stay_screenplays() -> None:
    text = "INT. A - DAY\n\nNote: rain.\n\nANN\nLook: a bird.\n\nBOB\nTwo: the tea.\n"
    assert [s.character for s in read(text).speeches] == ["ANN", "BOB"]


PIECES = st.sampled_from(
    ["Ann: ", "ANN", "bob: ", "Oh.", "(beat)", "[Scene: a]", "[", "]", ":", "**", "Title: a",
     "INT. A", "Premise: b", " ", "\n", "\n\n", "[ANN] Hi", "A (b): c", "*"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECES).map("".join))
def test_every_line_is_counted_once(text: str) -> None:
    text = f"Ann: Hi.\nBob: Hi.\n{text}\nAnn: Oh.\n"
    reading = read(text)
    counts = count_lines(reading, clean_speeches(reading.speeches, load_show("unclaimed")))
    parts = (counts.speech, counts.setting, counts.direction, *counts.dropped.values())
    assert counts.read == sum(parts) == sum(1 for line in text.splitlines() if line.strip())
