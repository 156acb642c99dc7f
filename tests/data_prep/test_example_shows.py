"""The shows in shows/examples, each with a small table in the shape of the data set it is for."""

import csv
import io
from pathlib import Path

import pytest

from data_prep.job import PreparationJob
from data_prep.pipeline import prepare
from data_prep.report import DataReport
from nothing_gpt.show import SHOWS, load_show

EXAMPLES = SHOWS / "examples"
MAX_LINES = 12
TURNS = 16


def make_table(header: list[str], first: list[object], second: list[object]) -> bytes:
    """Two episodes of two speakers in turns; `N` is the number of the line."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for episode in (1, 2):
        for number in range(TURNS):
            row = second if number % 2 else first
            writer.writerow({"N": f"Line {number}.", "E": episode}.get(str(c), c) for c in row)
    return text.getvalue().encode()


def make_cornell() -> bytes:
    lines = [
        f"L{100 * movie + number} +++$+++ u{number % 2} +++$+++ m{movie} +++$+++"
        f" {('BIANCA', 'CAMERON')[number % 2]} +++$+++ Line {number}."
        for movie in (1, 2)
        for number in reversed(range(TURNS))
    ]
    return "\n".join(lines).encode()


TABLES = {
    "cornell": make_cornell(),
    "friends": make_table(
        ["text", "speaker", "season", "episode", "scene", "utterance"],
        ["N", "Monica Geller", 1, "E", 1, 1],
        ["N", "Joey Tribbiani", 1, "E", 1, 2],
    ),
    "the_office": make_table(
        ["id", "season", "episode", "scene", "line_text", "speaker", "deleted"],
        [1, 2, "E", 1, "N", "Michael", "FALSE"],
        [2, 2, "E", 1, "N", "Pam", "FALSE"],
    )
    + b"3,2,1,1,Gone.,Pam,TRUE\r\n",
    "simpsons": make_table(
        ["episode_id", "raw_character_text", "spoken_words", "raw_location_text"],
        ["E", "Homer Simpson", "N", "Simpson Home"],
        ["E", "Bart Simpson", "N", "Simpson Home"],
    ),
    "south_park": make_table(
        ["Season", "Episode", "Character", "Line"],
        [10, "E", "Stan", "N\n"],
        [10, "E", "Kyle", "N"],
    ),
}


def run(name: str, folder: Path) -> DataReport:
    show = load_show(str(EXAMPLES / f"{name}.toml"))
    source = folder / show.corpus.source
    source.write_bytes(TABLES[name])
    out = folder / "out"
    return prepare(PreparationJob(show, str(source), out, show.prompt.format, "none"))[0]


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.toml")))
def test_an_example_reads_its_table_by_defaults(tmp_path: Path, name: str) -> None:
    text = (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")
    cast, _, rest = text.partition("[corpus]")
    besides_cast = [*cast.partition("[[cast]]")[0].splitlines(), *rest.splitlines()]
    assert sum(1 for line in besides_cast if line.strip()) < MAX_LINES
    report = run(name, tmp_path)
    assert (report.episodes.train, report.episodes.validation) == (1, 1)
    assert report.rows.kept == report.lines.speech == 2 * TURNS
    assert set(report.characters) <= set(load_show(str(EXAMPLES / f"{name}.toml")).names)
    assert not report.near_misses
    assert report.turns == 2 * TURNS
    assert (report.direction["setting"] > 0) is (name == "simpsons")
    filtered = report.lines.dropped.get("left out by the show's 'where'", 0)
    assert filtered == (1 if name == "the_office" else 0)
