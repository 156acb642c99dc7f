import io
import json

import pyarrow
import pyarrow.parquet
import pytest

from data_prep.episode import Speech
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile
from nothing_gpt.errors import UserError
from tests.data_prep.samples import CORPUS

RECORDS = [
    {"n": 1, "speaker": "Ann", "text": "Hi.", "season": 1, "episode": 2},
    {"n": 2, "speaker": "Bob", "text": "None", "season": 1, "episode": 2, "more": [1, 2]},
    {"n": 3, "speaker": None, "text": "It\nrains.", "season": 1, "episode": 2},
]
SPEECHES = [
    Speech("1-2", "Ann", "Hi."), Speech("1-2", "Bob", "None"), Speech("1-2", "", "It\nrains."),
]  # fmt: skip
NESTED = {
    "show": "Pier",
    "episodes": [
        {
            "season": 1,
            "episode": 2,
            "scenes": [
                {"location": "Pier", "lines": [RECORDS[0], {"speaker": "Bob", "text": "None"}]},
                {"location": "Sea", "lines": [{"speaker": None, "text": "It\nrains."}]},
            ],
        }
    ],
}


def read(name: str, data: bytes) -> list[Speech]:
    return read_sources([SourceFile(name, data)], CORPUS).speeches


def make_parquet() -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(RECORDS), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", json.dumps(RECORDS, indent=1).encode()),
        ("a.json", json.dumps({"data": RECORDS}).encode("utf-16")),
        ("a.jsonl", "\n".join(map(json.dumps, RECORDS)).encode()),
        ("a.parquet", make_parquet()),
    ],
    ids=["list", "object", "lines", "parquet"],
)
def test_records_are_rows_whatever_the_file_is_called(name: str, data: bytes) -> None:
    assert read(name, data) == SPEECHES
    assert read("script", data) == SPEECHES


def test_lines_in_nested_objects_have_the_values_around_them() -> None:
    speeches = read("a.json", json.dumps(NESTED).encode())
    assert [(s.episode, s.character, s.setting) for s in speeches] == [
        ("1-2", "Ann", "Pier"), ("1-2", "Bob", "Pier"), ("1-2", "", "Sea"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"speaker": "Ann", ', "not valid JSON"),
        (b'{"a": 1}\n{"a": \n', "line 2 is not JSON"),
        (b'[{"a": ' + b'{"a": ' * 100_000, "JSON that is nested too deep"),
        (b'[{"a": 1}]', "no column for the speaker"),
        (b"PAR1" + make_parquet()[20:], "damaged Parquet"),
        (make_parquet()[:-8], "damaged Parquet"),
    ],
)
def test_damaged_records_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=f"a: {message}"):
        read("a", data)


def test_cornells_lines_are_read_in_the_order_of_their_numbers() -> None:
    lines = [
        "L20 +++$+++ u0 +++$+++ m0 +++$+++ ANN +++$+++ No.",
        "L3 +++$+++ u1 +++$+++ m0 +++$+++ BOB +++$+++ Caf\xe9?",
        "L30 +++$+++ u2 +++$+++ m1 +++$+++ CARL +++$+++ Oh +++$+++ no.",
        "L21 +++$+++ u2 +++$+++ m1 +++$+++ CARL +++$+++",
    ]
    reading = read_sources([SourceFile("lines.txt", "\n".join(lines).encode("cp1252"))], CORPUS)
    assert [(s.episode, s.character, s.dialogue) for s in reading.speeches] == [
        ("m0", "BOB", "Caf\xe9?"), ("m0", "ANN", "No."), ("m1", "CARL", ""), ("m1", "CARL", "Oh"),
    ]  # fmt: skip
    assert [miss.line for miss in reading.near_misses] == [3]
    assert "Windows-1252" in reading.notes[0]
