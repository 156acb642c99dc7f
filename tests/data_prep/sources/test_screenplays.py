from pathlib import Path

import pytest

from data_prep.episode import Speech
from data_prep.examples.cleaning import clean_speeches
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile
from nothing_gpt.errors import UserError
from nothing_gpt.show import load_show
from tests.data_prep.samples import CORPUS, SCREENPLAY

SHOW = load_show("unclaimed")


def read(*texts: str) -> list[Speech]:
    files = [SourceFile(f"scripts/s{i}.fountain", text.encode()) for i, text in enumerate(texts)]
    return read_sources(files, CORPUS).speeches


def test_a_screenplay_gives_speeches_with_their_scenes() -> None:
    office = ("Ann looks for the key.", "INT. OFFICE - DAY")
    pier = ("It rains on everyone.", "EXT. PIER - NIGHT")
    sea = ("Nobody knows. Nobody asks.", "THE SEA")
    assert read(SCREENPLAY) == [
        Speech("E01", "ANN", "Where is it?", *office),
        Speech("E01", "BOB", "Not here. Never was.", *office),
        Speech("E01", "MR. COLE", "Who took my key?", *pier),
        Speech("E01", "MR. COLE", "I had 2 *stars* on it.", *pier),
        Speech("E01", "ANN", "Oh.", *sea),
        Speech("E01", "ANN", "La la la", *sea),
    ]


def test_without_a_synopsis_the_title_is_the_premise() -> None:
    assert read("Title: Rain\n\nANN\nOh.\n") == [Speech("s0", "ANN", "Oh.", premise="Rain")]


def test_without_a_title_page_the_file_names_the_episode() -> None:
    assert read("INT. A - DAY\n\nANN\nOh.\n")[0] == Speech("s0", "ANN", "Oh.", "", "INT. A - DAY")


def test_lone_marks_of_emphasis_stay() -> None:
    text = "INT. A - DAY\n\nANN\n2 * 3 is ***six***, snake_case is one_word and * is a star.\n"
    assert read(text)[0].dialogue == ("2 * 3 is six, snake_case is one_word and * is a star.")


def test_the_rooms_invisible_marks_are_no_words() -> None:
    text = "INT. A - DAY\n\nANN\n\u200b#1 is late [\u200b[and so on]].\n"
    assert [speech.dialogue for speech in read(text)] == ["#1 is late [[and so on]]."]


def test_a_lyric_or_a_page_break_ends_no_speech_but_a_direction_does() -> None:
    text = "ANN\nListen:\n~La\n===\nSo?\n\n~Sung by nobody\n\nShe waits.\n\n~La la\n"
    assert [(s.character, s.dialogue) for s in read(text)] == [
        ("ANN", "Listen:"), ("ANN", "La"), ("ANN", "So?"),
    ]  # fmt: skip


def test_nested_parentheses_are_one_aside() -> None:
    text = "ANN\nYes (he (really (so)) goes) no. (a (b) c\n"
    speeches = read_sources([SourceFile("a.fountain", text.encode())], CORPUS).speeches
    assert speeches[0].dialogue == "Yes (he (really (so)) goes) no. (a (b) c"
    (episode,) = clean_speeches(speeches, SHOW).episodes
    assert episode.turns[0].line.text == "Yes no. c"


def test_a_file_without_dialogue_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"scripts/s0\.fountain: no dialogue in it"):
        read("INT. A - DAY\n\nRain.\n")


def test_beside_others_a_file_that_is_no_screenplay_is_skipped_and_named() -> None:
    files = [
        SourceFile("a.fountain", SCREENPLAY.encode()),
        SourceFile("b.fountain", b"# Act one\n\n= they meet\n"),
        SourceFile("c.fountain", b"\xff\x00\xfa\xfb"),
        SourceFile("d.fdx", b"<FinalDraft><Content>"),
    ]
    reading = read_sources(files, CORPUS)
    assert {speech.episode for speech in reading.speeches} == {"E01"}
    assert {note.partition(": ")[0] for note in reading.notes} == {
        "skipped b.fountain", "skipped c.fountain", "skipped d.fdx",
    }  # fmt: skip
    assert reading.left_out["in a file without a speech"] == {"b.fountain": 2}


FDX = (
    "<FinalDraft><Content>"
    '<Paragraph Type="Scene Heading"><Text>INT. A - DAY</Text></Paragraph>'
    '<Paragraph Type="Character"><Text>ANN</Text></Paragraph>'
    '<Paragraph Type="Dialogue"><Text>Oh, </Text><Text>É.</Text></Paragraph>'
    "</Content></FinalDraft>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_final_draft_and_fountain_are_found_by_their_contents_in_any_unicode(
    encoding: str,
) -> None:
    declaration = f'<?xml version="1.0" encoding="{encoding[:6].rstrip("-")}"?>'
    for text in (declaration + FDX, "INT. A - DAY\r\n\r\nANN\r\nOh, É.\r\n"):
        speeches = read_sources([SourceFile("e.txt", text.encode(encoding))], CORPUS).speeches
        assert speeches == [Speech("e", "ANN", "Oh, É.", "", "INT. A - DAY")]


def test_files_of_one_name_in_different_folders_are_different_episodes() -> None:
    text = b"ANN\nOh.\n"
    files = [
        SourceFile(f"top/{inner}", text, inner)
        for inner in ("s1/e1.fountain", "s2/e1.fountain", "s2/e1.fdx", "s2/e2.fountain")
    ]
    assert [speech.episode for speech in read_sources(files, CORPUS).speeches] == [
        "s1/e1", "s2/e1.fountain", "s2/e1.fdx", "e2",
    ]  # fmt: skip


def test_one_episode_in_two_files_is_refused() -> None:
    with pytest.raises(UserError, match=r"s1\.fountain: episode 'E01' is also .*s0\.fountain"):
        read(SCREENPLAY, SCREENPLAY)


def test_broken_encoding_is_refused_with_its_line() -> None:
    broken = SourceFile("a.fountain", bytes([*b"INT. A - DAY\n\n", *range(128, 256), *b"\nOui."]))
    with pytest.raises(UserError, match=r"a\.fountain: line 3 is not UTF-8 \(byte 0x80\)"):
        read_sources([broken], CORPUS)


def test_a_files_name_counts_without_its_folder(tmp_path: Path) -> None:
    file = SourceFile(str(tmp_path / "s02e01.fountain"), b"INT. A - DAY\n\nANN\nOh.\n")
    assert read_sources([file], CORPUS).speeches[0].episode == "s02e01"
