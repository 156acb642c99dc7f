from pathlib import Path

import pytest

from data_prep.episode import Speech
from data_prep.sources.fountain import read_fountain
from data_prep.sources.source_files import SourceFile
from nothing_gpt.errors import UserError
from tests.data_prep.samples import SCREENPLAY


def read(*texts: str) -> list[Speech]:
    files = [SourceFile(f"scripts/s{i}.fountain", text.encode()) for i, text in enumerate(texts)]
    return read_fountain(files).speeches


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
    text = "ANN\nListen:\n~La\n===\nSo?\n\nShe waits.\n\n~La la\n"
    assert [(s.character, s.dialogue) for s in read(text)] == [
        ("ANN", "Listen:"), ("ANN", "La"), ("ANN", "So?"),
    ]  # fmt: skip


def test_a_file_without_dialogue_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"scripts/s1\.fountain: no dialogue in it"):
        read(SCREENPLAY, "INT. A - DAY\n\nRain.\n")


def test_one_episode_in_two_files_is_refused() -> None:
    with pytest.raises(UserError, match=r"s1\.fountain: episode 'E01' is also .*s0\.fountain"):
        read(SCREENPLAY, SCREENPLAY)


def test_broken_encoding_is_refused_with_its_line() -> None:
    broken = SourceFile("a.fountain", "INT. A - DAY\n\nÉMILE\nOui.".encode("latin-1"))
    with pytest.raises(UserError, match=r"a\.fountain: line 3 is not UTF-8 \(byte 0xc9\)"):
        read_fountain([broken])


def test_a_files_name_counts_without_its_folder(tmp_path: Path) -> None:
    file = SourceFile(str(tmp_path / "s02e01.fountain"), b"INT. A - DAY\n\nANN\nOh.\n")
    assert read_fountain([file]).speeches[0].episode == "s02e01"
