"""Small corpora that the tests of data_prep write for themselves."""

import csv
from collections.abc import Sequence
from pathlib import Path

from nothing_gpt.show import Corpus, Show, load_show

CORPUS = Corpus("nowhere", "CC0-1.0")

COLUMNS = ("Who", "What", "Episode")

TABLE_SHOW = """
name = "pier"
title = "The Pier"

[[cast]]
name = "ANN"
aliases = ["ANN LEE"]
voice = "sells tickets"

[[cast]]
name = "BOB"
voice = "buys none"

[prompt]
format = "script"
system = "A scene from {title}."

[corpus]
kind = "table"
source = "tables"
file = "lines.csv"
licence = "CC0-1.0"
setting_markers = ["[Setting", "[Scene"]
stage_business = ["SIGHS"]

[corpus.columns]
character = "Who"
dialogue = "What"
episode = "Episode"

[corpus.titles]
file = "titles.csv"
episode = "Episode"
title = "Title"

[windows]
turns = 8
context = 2
minimum = 4
stride = 2

[split]
held_out = 0.3
seed = 1
omit = 0.25
"""

Row = Sequence[str]


def table_show(folder: Path, text: str = TABLE_SHOW) -> Show:
    path = folder / "show.toml"
    path.write_text(text, encoding="utf-8")
    return load_show(str(path))


def write_csv(path: Path, header: Row, rows: Sequence[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([header, *rows])
    return path


def talk(episode: str, turns: int) -> list[Row]:
    """An episode in which ANN and BOB take turns."""
    return [(("ANN", "BOB")[i % 2], f"Ticket {i}, please.", episode) for i in range(turns)]


def write_tables(folder: Path, episodes: int = 6, turns: int = 20) -> Path:
    """A folder with a table of speeches and a table of titles."""
    ids = [f"E{number:02}" for number in range(1, episodes + 1)]
    rows = [row for name in ids for row in [("[Setting", "Pier]", name), *talk(name, turns)]]
    write_csv(folder / "lines.csv", COLUMNS, rows)
    titles = [(name, f"Boat {name}") for name in ids]
    write_csv(folder / "titles.csv", ("Episode", "Title"), titles)
    return folder


SCREENPLAY = """\
Title: A Wet Day
Episode: E01

= It rains on everyone.

INT. OFFICE - DAY

= Ann looks for the key.

Rain on the window. ANN waits.

ANN
Where is it?

BOB (V.O.)
(from below)
Not *here*. [[check this]]
Never _was_.

!BOB GOES.

EXT. PIER - NIGHT

MR. COLE
Who took /* the boat */ my key?

MR. COLE (CONT'D)
I had 2 \\*stars\\* on it.

CUT TO:

.THE SEA

= Nobody knows.
= Nobody asks.

ANN ^
Oh.
~La la la
"""
