from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.episode import Reading
from data_prep.examples.cleaning import clean_speeches
from data_prep.line_counts import count_lines
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile
from nothing_gpt.show import load_show
from tests.data_prep.samples import CORPUS

SRT = """\
1
00:00:01,000 --> 00:00:02,000
ANN: Where is
the key,

2
00:00:02,500 --> 00:00:03,000
<i>the small one?</i>

3
00:00:03,000 --> 00:00:04,000
- Not here.
- BOB (laughing): Never was.

4
00:00:04,000 --> 00:00:05,000
[DOOR SLAMS]
NARRATOR:
Rain &amp; wind.

5
00:00:06,000 --> 00:00:07,000
Watch out!
"""

VTT = """\
WEBVTT - Pier
Kind: captions

NOTE
a remark

STYLE
::cue { color: red }

00:01.000 --> 00:02.000 align:start
<v Ann>Hello</v>

intro
00:00:03.000 --> 00:00:04.000
<v.loud Bob><c.red>Yes</c> <00:00:03.500>sir
- Who?
"""


def read(text: str) -> Reading:
    return read_sources([SourceFile("s01e01.en.srt", text.encode())], CORPUS)


def test_speakers_of_subrip_are_its_labels() -> None:
    reading = read(SRT)
    assert [(s.character, s.dialogue, s.line) for s in reading.speeches] == [
        ("ANN", "Where is the key,", 3),
        ("ANN", "the small one?", 8),
        ("BOB", "Never was.", 13),
        ("NARRATOR", "Rain & wind.", 18),
    ]
    assert reading.left_out["words without a speaker"] == {"Not here.": 1, "Watch out!": 1}
    assert reading.left_out["page number, time or other mark"].total() == 10
    assert reading.directions == 1


def test_speakers_of_webvtt_are_its_voices() -> None:
    reading = read(VTT)
    assert [(s.character, s.dialogue) for s in reading.speeches] == [
        ("Ann", "Hello"), ("Bob", "Yes sir"),
    ]  # fmt: skip
    assert reading.left_out["note"] == {"NOTE": 1, "a remark": 1}
    assert reading.left_out["words without a speaker"] == {"Who?": 1}


PIECES = st.sampled_from(
    ["1\n", "00:00:01,000 --> 00:00:02,000\n", "ANN: Hi\n", "<v Ann>", "</v>", "- a", "[x]",
     "NOTE", "STYLE", "\n", "\n\n", "{\\an8}", "♪", "a b", "<i>", "(", "BOB:"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECES).map("".join))
def test_every_line_is_counted_once(text: str) -> None:
    text = f"00:00:01,000 --> 00:00:02,000\nANN: Oh.\n{text}\n"
    reading = read(text)
    counts = count_lines(reading, clean_speeches(reading.speeches, load_show("unclaimed")))
    assert counts.read == sum(1 for line in text.splitlines() if line.strip())
