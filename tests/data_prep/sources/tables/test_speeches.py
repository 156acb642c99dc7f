from pathlib import Path

import pytest

from data_prep.episode import Reading, Speech
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile, read_files
from nothing_gpt.errors import UserError
from nothing_gpt.show import Corpus
from tests.data_prep.samples import (
    COLUMNS,
    CORPUS,
    TABLE_SHOW,
    table_show,
    write_csv,
    write_tables,
)


def read(folder: Path, text: str | bytes, *titles: str) -> Reading:
    data = text if isinstance(text, bytes) else text.encode()
    files = [SourceFile("lines.csv", data)]
    files += [SourceFile("titles.csv", title.encode()) for title in titles]
    return read_sources(files, table_show(folder).corpus)


def test_columns_are_found_by_name_and_cells_stripped(tmp_path: Path) -> None:
    text = 'n,Episode, What ,Who\r\n1,E1," Hi,\nyou. ",ANN \r\n\r\n2,E1\r\n'
    assert read(tmp_path, text).speeches == [
        Speech("E1", "ANN", "Hi,\nyou."),
        Speech("E1", "", ""),
    ]


def test_none_and_its_like_are_words(tmp_path: Path) -> None:
    words = ["None", "NA", "null", "nan", "1.0"]
    text = "Who,What,Episode\n" + "".join(f"ANN,{word},E1\n" for word in words)
    assert [speech.dialogue for speech in read(tmp_path, text).speeches] == words


def test_a_setting_holds_until_the_next_and_never_past_its_episode(tmp_path: Path) -> None:
    rows = ["ANN,a,E1", "[setting: Pier],,E1", "ANN,b,E1", "[Scene,At sea. Later],E1", "ANN,c,E1"]
    reading = read(tmp_path, "Who,What,Episode\n" + "\n".join([*rows, "ANN,d,E2"]))
    assert [(s.dialogue, s.setting) for s in reading.speeches] == [
        ("a", ""),
        ("b", "Pier"),
        ("c", "At sea. Later"),
        ("d", ""),
    ]
    assert reading.settings == 2


def test_an_episodes_title_is_its_premise(tmp_path: Path) -> None:
    text = "Who,What,Episode\nANN,a,E1\nANN,b,E2\nANN,c,E3\n"
    titles = "Episode,Title\nE1,One\nE2,Two\nE2,Half\nE3,\n"
    premises = [speech.premise for speech in read(tmp_path, text, titles).speeches]
    assert premises == ["One", "Two / Half", ""]


def test_titles_that_are_not_there_are_noted(tmp_path: Path) -> None:
    assert read(tmp_path, "Who,What,Episode\n").notes == (
        "no episode titles: titles.csv is not beside lines.csv",
    )


def test_a_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfWho,What,Episode\nANN,a,E1\n").speeches


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            b"Who,Said\nANN,a\n",
            r"lines\.csv: no column 'What', 'Episode' \(it has 'Who', 'Said'\)",
        ),
        (b"", r"lines\.csv: no column .*\(it has none\)"),
        (b"Who:What:Episode\n", r"it has 'Who:What:Episode'"),
        (b"Who,What,Episode\nANN,caf\x00,E1\n", r"lines\.csv: is no text"),
        (b'Who,What,Episode\nANN,"' + b"x" * 200_000, r"lines\.csv: line 2 is not CSV"),
    ],
)
def test_a_table_that_will_not_do_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(tmp_path, text)


def test_a_table_of_titles_is_checked_too(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"titles\.csv: no column 'Title'"):
        read(tmp_path, "Who,What,Episode\n", "Episode,Name\n")


def test_a_single_table_brings_its_titles_along(tmp_path: Path) -> None:
    folder = write_tables(tmp_path / "tables")
    write_csv(folder / "other.csv", COLUMNS, [("ANN", "a", "E01")])
    corpus = table_show(tmp_path).corpus
    files = read_files(folder / "other.csv", corpus)
    assert [Path(file.name).name for file in files] == ["other.csv", "titles.csv"]
    assert read_sources(files, corpus).speeches == [Speech("E01", "ANN", "a", premise="Boat E01")]


def test_the_delimiter_is_found_by_the_header_or_given(tmp_path: Path) -> None:
    for mark in ",\t;|":
        text = f"n{mark}Episode{mark}What{mark}Who\n1{mark}E1{mark}Hi.{mark}ANN\n"
        assert read(tmp_path, text).speeches == [Speech("E1", "ANN", "Hi.")]
    given = with_corpus(tmp_path, 'delimiter = ":"')
    file = SourceFile("lines.csv", b"Who:What:Episode\nANN:Hi.:E1\n")
    assert read_sources([file], given).speeches == [Speech("E1", "ANN", "Hi.")]
    with pytest.raises(UserError, match="'delimiter' must be one character"):
        with_corpus(tmp_path, 'delimiter = "::"')


def with_corpus(folder: Path, lines: str, old: str = "\0", new: str = "") -> Corpus:
    text = TABLE_SHOW.replace('kind = "table"', f'kind = "table"\n{lines}').replace(old, new)
    return table_show(folder, text).corpus


def test_rows_with_other_values_are_left_out_and_counted(tmp_path: Path) -> None:
    corpus = with_corpus(tmp_path, 'where = {Gone = "FALSE", Kind = "line"}')
    rows = ["ANN,a,E1,False,Line", "BOB,b,E1, TRUE,line", "BOB,c,E1,false ,line", "BOB,d,E1,,line"]
    text = "Who,What,Episode,Gone,Kind\n" + "\n".join(rows)
    reading = read_sources([SourceFile("lines.csv", text.encode())], corpus)
    assert [speech.dialogue for speech in reading.speeches] == ["a", "c"]
    assert reading.left_out == {"left out by the show's 'where'": {"BOB: b": 1, "BOB: d": 1}}
    with pytest.raises(UserError, match="no column 'Gone', 'Kind'"):
        read_sources([SourceFile("lines.csv", b"Who,What,Episode\n")], corpus)


def test_several_columns_make_an_episode_and_a_setting(tmp_path: Path) -> None:
    columns = 'episode = ["Season", "Episode"]\nsetting = ["Where", "When"]'
    old = 'dialogue = "What"\nepisode = "Episode"'
    corpus = with_corpus(tmp_path, "", old, 'dialogue = "What"\n' + columns)
    rows = ["1,1,Pier,day,ANN,a", "1,2,Pier,,ANN,b", "2,1,,,ANN,c", ",1,,,ANN,d"]
    text = "Season,Episode,Where,When,Who,What\n" + "\n".join(rows)
    speeches = read_sources([SourceFile("lines.csv", text.encode())], corpus).speeches
    assert [(s.episode, s.setting, s.dialogue) for s in speeches] == [
        ("1-1", "Pier, day", "a"), ("1-2", "Pier", "b"), ("2-1", "", "c"), ("", "", "d"),
    ]  # fmt: skip


def test_entities_become_characters(tmp_path: Path) -> None:
    text = "Who,What,Episode\nO&#39;BRIEN,Salt &amp; pepper?,E1\n"
    assert read(tmp_path, text).speeches == [Speech("E1", "O'BRIEN", "Salt & pepper?")]


def test_repeated_rows_are_noted_and_kept(tmp_path: Path) -> None:
    rows = ["Who,What,Episode", "ANN,a,E1", "BOB,b,E1", "ANN,a,E1", "ANN,a,E1"]
    reading = read(tmp_path, "\n".join(rows), "Episode,Title\n")
    assert len(reading.speeches) == 4
    assert reading.notes == (
        "2 rows are the same as an earlier row in every column (the first in line 4);"
        " all are kept",
    )


def test_a_row_of_too_many_cells_is_a_near_miss(tmp_path: Path) -> None:
    reading = read(tmp_path, "Who,What,Episode\nANN,Well, yes.,E1\n")
    assert [(miss.line, miss.reason) for miss in reading.near_misses] == [
        (2, "a row of 4 cells under a header of 3")
    ]


def test_rows_that_a_quote_swallows_are_found_by_their_episode(tmp_path: Path) -> None:
    rows = ["Who,What,Episode", "ANN,z,E1", 'ANN,"a,E1', "BOB,b,E1", 'ANN,"c",E1']
    with pytest.raises(UserError, match=r"lines\.csv: line 3: a quote that is opened there"):
        read(tmp_path, "\n".join(rows))


def test_seasons_that_one_column_of_episodes_mixes_up_are_noted(tmp_path: Path) -> None:
    rows = ["Who,What,Season,Episode", "ANN,a,1,1", "ANN,b,1,2", "BOB,c,2,1", "BOB,d,2,1"]
    notes = read(tmp_path, "\n".join(rows), "Episode,Title\n").notes
    assert notes == (
        "lines.csv: episodes of different seasons are one (1 of them; '1' is in seasons 1 and 2);"
        " list both columns in 'episode' of the show's [corpus.columns]",
    )
    speeches = read_sources([SourceFile("a.csv", "\n".join(rows).encode())], CORPUS).speeches
    assert [speech.episode for speech in speeches] == ["1-1", "1-2", "2-1", "2-1"]


def test_entities_in_titles_become_characters(tmp_path: Path) -> None:
    reading = read(tmp_path, "Who,What,Episode\nANN,a,E1\n", "Episode,Title\nE1,Salt &amp; Co\n")
    assert reading.speeches[0].premise == "Salt & Co"


def test_without_a_column_of_episodes_a_table_is_one() -> None:
    reading = read_sources([SourceFile("pier.csv", b"Who,What\nANN,a\nBOB,b\n")], CORPUS)
    assert {speech.episode for speech in reading.speeches} == {"pier"}
    assert reading.notes == ("pier.csv: no column of episodes, so all of it is one episode",)


def test_a_table_without_a_usual_column_says_which_names_are_usual() -> None:
    with pytest.raises(UserError, match=r"a\.csv: no column for the words \(it has 'Who', 'X'; "):
        read_sources([SourceFile("a.csv", b"Who,X\nANN,a\n")], CORPUS)


def test_empty_lines_above_a_header_are_none_of_its_lines() -> None:
    reading = read_sources([SourceFile("a.csv", b"\n\r\nwho,what\nANN,a\n,\n")], CORPUS)
    assert [(speech.dialogue, speech.line) for speech in reading.speeches] == [("a", 4), ("", 5)]


def test_without_episodes_swallowed_rows_are_found_by_their_speakers() -> None:
    text = 'who,what\nANN,z\nANN,"a\nBOB,b\nANN,"c"\nBOB,d\n'
    with pytest.raises(UserError, match=r"a\.csv: line 3: a quote that is opened there"):
        read_sources([SourceFile("a.csv", text.encode())], CORPUS)
