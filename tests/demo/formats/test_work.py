"""The work of reading what comes from outside grows with its size, and it is read or refused.

Work is counted in lines of Python that run, because time depends on the machine. What a single
expression or a library does is not counted; tests/script_formats/test_linear_time.py has texts on
which that would take hours.
"""

import csv
import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile
from demo.formats import import_scene
from demo.scene.history_log import HistoryLog, read_history_log
from nothing_gpt.errors import UserError
from nothing_gpt.records import decode
from tests.data_prep.samples import CORPUS

SMALL, GROWTH = 40, 4
"""Pieces of the smaller text, and how many times as many the larger one has."""

PARTS = (
    *("DOT: No.\n", "[DOT] No.\n", "[", "]", "(a)\n", ": ", "\n", " ", "=", "Premise: a\n", "é"),
    *(
        '"',
        ",",
        ";",
        "\t",
        "{",
        "}",
        "[[",
        "null",
        "1e9",
        "\\u0041",
        "DOT,No.\n",
        '"a\n',
        "\r",
        "\0",
    ),
)
PIECES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("".join)
TABLE = replace(CORPUS, kind="table")


def read_json_scene(words: str) -> None:
    """Read a scene whose lines have words, which can be wrong ones."""
    lines = [{"text": part, "speaker": "DOT"} for part in words.split("\n")]
    scene = {"kind": "nothing-gpt scene", "version": 1, "title": words, "lines": lines}
    import_scene("json", json.dumps(scene))


def read_link(words: str) -> None:
    """Read a history with a version for each line."""
    steps: list[dict[str, Any]] = [{}]
    for number, part in enumerate(words.split("\n")):
        steps.append({"parent": number, "start": number, "added": [{"text": part or "a"}]})
    read_history_log(decode(HistoryLog, {"steps": steps, "at": len(steps) - 1}, "the link"))


def read_table(words: str) -> None:
    """Read a table whose every cell is right, and one of any text."""
    cells = io.StringIO()
    csv.writer(cells).writerows(
        [["character", "dialogue"], *(["DOT", part] for part in words.split())]
    )
    for text in (cells.getvalue(), f"character,dialogue\n{words}"):
        read_sources([SourceFile("a.csv", text.encode())], TABLE)


READERS: dict[str, Callable[[str], object]] = {
    "text": lambda words: import_scene("txt", words),
    "JSON": lambda words: import_scene("json", words),
    "a scene": read_json_scene,
    "a link": read_link,
    "a table": read_table,
}


def count_work(read: Callable[[str], object], text: str) -> int:
    """Count the lines of Python that run while a text is read or refused."""
    lines = 0

    def trace(_frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        read(text)
    except UserError:
        pass
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=25, deadline=None)
@given(PIECES, PIECES)
def test_work_grows_with_the_size(name: str, piece: str, end: str) -> None:
    # Without the end too: it can make a reader refuse the short text at its first look.
    small = max(count_work(READERS[name], piece * SMALL + each) for each in ("", end))
    large = count_work(READERS[name], piece * SMALL * GROWTH + end)
    assert large <= GROWTH * small + 500
