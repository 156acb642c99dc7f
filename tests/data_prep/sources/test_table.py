from pathlib import Path

import pytest

from data_prep.episode import Reading, Speech
from data_prep.sources.source_files import SourceFile, read_files
from data_prep.sources.table import read_table
from nothing_gpt.errors import UserError
from tests.data_prep.samples import COLUMNS, table_show, write_csv, write_tables


def read(folder: Path, text: str | bytes, *titles: str) -> Reading:
    data = text if isinstance(text, bytes) else text.encode()
    files = [SourceFile("lines.csv", data)]
    files += [SourceFile("titles.csv", title.encode()) for title in titles]
    return read_table(files, table_show(folder).corpus)


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
        (b"Who;What;Episode\n", r"it has 'Who;What;Episode'"),
        (b"Who,What,Episode\nANN,caf\xe9,E1\n", r"lines\.csv: line 2 is not UTF-8 \(byte 0xe9\)"),
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
    assert read_table(files, corpus).speeches == [Speech("E01", "ANN", "a", premise="Boat E01")]
