from hypothesis import given
from hypothesis import strategies as st

from data_prep.examples.cleaning import clean_speeches
from data_prep.line_counts import count_lines
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile
from nothing_gpt.show import load_show
from tests.data_prep.samples import CORPUS

SHOW = load_show("unclaimed")


def test_every_line_is_counted_once_with_its_kind() -> None:
    text = """Title: Rain

# Act one

INT. A - DAY

= It rains.

ANN [[why?]]
(waits)
Oh.
Well.
/* cut
here */
[[a note]]

BOB

!BOB GOES.

@CY

He waits.

CUT TO:

===
"""
    reading = read_sources([SourceFile("a.fountain", text.encode())], CORPUS)
    assert [(s.line, s.lines) for s in reading.speeches] == [(9, 3)]
    assert (reading.settings, reading.directions) == (2, 5)
    assert {reason: texts.total() for reason, texts in reading.left_out.items()} == {
        "title page": 1, "section of the outline": 1, "commented out": 2, "note": 1,
        "a cue without a speech": 1, "page break": 1,
    }  # fmt: skip


def test_near_misses_have_their_file_and_line() -> None:
    text = "ANN\nOh.\n\nBOB\n\nWhat?\n\nBob: No.\n"
    misses = read_sources([SourceFile("a.fountain", text.encode())], CORPUS).near_misses
    assert [(miss.file, miss.line, miss.text) for miss in misses] == [
        ("a.fountain", 4, "BOB"), ("a.fountain", 8, "Bob: No."),
    ]  # fmt: skip


PIECES = st.sampled_from(
    ["ANN", "Oh.", "(beat)", "[[", "]]", "/*", "*/", "~la", "# a", "INT. A", "Title: a", "= s",
     "===", "CUT TO:", " ", "  ", "\n", "\n\n", "@a", "!", "x", ":", "(nods)", "2ND MAN"]
)  # fmt: skip


@given(st.lists(PIECES).map("".join))
def test_the_counts_add_up_to_what_was_read(text: str) -> None:
    text += "\n\nANN\nOh.\n"
    reading = read_sources([SourceFile("a.fountain", text.encode())], CORPUS)
    counts = count_lines(reading, clean_speeches(reading.speeches, SHOW))
    parts = (counts.speech, counts.setting, counts.direction, *counts.dropped.values())
    assert counts.read == sum(parts) == sum(1 for line in text.splitlines() if line.strip())
