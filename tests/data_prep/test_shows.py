"""The two shows of the checkout: the bundled one, and Seinfeld by its exact figures."""

import csv
import hashlib
import io
import json
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from data_prep.examples.token_lengths import TokenLengths, count_lengths, summarize_lengths
from data_prep.examples.tokenizer import NoTokenizerError, load_counter
from data_prep.job import PreparationJob
from data_prep.output import OUTPUTS
from data_prep.pipeline import prepare
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import read_files
from nothing_gpt.show import SHOWS, load_show
from nothing_gpt.workspace import DIALOGUES_FILE, HELD_OUT_FILE, TRAINING_FILE

DATA = SHOWS.parent.parent / "shared" / "data"
ARCHIVE = DATA / "seinfeld-chronicles.zip"
LENGTHS = DATA / "seinfeld-token-lengths.json"

needs_archive = pytest.mark.skipif(
    not ARCHIVE.is_file(), reason=f"the Seinfeld archive is not at {ARCHIVE}"
)
needs_lengths = pytest.mark.skipif(
    not LENGTHS.is_file(), reason=f"the known token lengths are not at {LENGTHS}"
)


def test_the_bundled_show_is_as_big_as_promised_and_all_of_it_is_used(tmp_path: Path) -> None:
    show = load_show("unclaimed")
    source = SHOWS / "unclaimed" / show.corpus.source
    speeches = read_sources(read_files(source, show.corpus), show.corpus).speeches
    assert len({speech.episode for speech in speeches}) >= 24
    assert len({(s.episode, s.premise, s.setting) for s in speeches}) >= 120
    assert len(speeches) >= 2200
    assert len({s.premise for s in speeches}) >= 120  # no two scenes alike
    report, _ = prepare(
        PreparationJob(show, str(source), tmp_path / "out", "directed", tokenizer="none")
    )
    assert report.rows.kept == report.rows.read == len(speeches)
    assert set(show.names) <= set(report.characters)
    assert len(show.system.split()) <= 70
    assert "CC0 1.0" in (SHOWS / "unclaimed" / "LICENSE").read_text()


@needs_archive
def test_seinfeld_gives_the_known_figures(tmp_path: Path) -> None:
    show = load_show("seinfeld")
    job = PreparationJob(show, str(ARCHIVE), tmp_path / "zip", "script", tokenizer="none")
    report, _ = prepare(job)
    assert (report.examples.train, report.examples.validation) == (9007, 1021)
    assert (report.episodes.train, report.episodes.validation) == (156, 17)
    assert (report.rows.read, report.rows.kept) == (54616, 53924)
    dropped = sum(dropped.count for dropped in report.rows.dropped.values())
    assert dropped + report.rows.settings == 54616 - 53924
    with (tmp_path / "zip" / DIALOGUES_FILE).open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    assert [(n["speaker"], n["episode"]) for n in lines if n["text"] == "None"] == [
        ("MORTY", "S05E18")
    ]
    assert lines[0]["premise"] == "Good News, Bad News / The Stakeout"
    assert Counter(n["setting"] for n in lines).most_common(2)[1][0] == "Jerry's apartment"

    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(ARCHIVE).extractall(unpacked)
    prepare(replace(job, source=str(unpacked / "scripts.csv"), out=tmp_path / "csv"))
    for name in OUTPUTS - {"report.json", "report.md"}:  # these name their source
        assert digest(tmp_path / "zip" / name) == digest(tmp_path / "csv" / name)
    directed, _ = prepare(replace(job, format="directed", out=tmp_path / "directed"))
    assert directed.examples == report.examples


@needs_lengths
def test_the_known_lengths_summarize_to_the_known_figures() -> None:
    known = json.loads(LENGTHS.read_text())
    lengths = [TokenLengths(*pair) for half in known.values() for pair in half]
    total = summarize_lengths(lengths, "cl100k_base").total
    assert (total.minimum, total.maximum, round(total.mean)) == (315, 1506, 731)
    assert (total.p90, total.p95, total.p99) == (871, 928, 1062)


@needs_archive
@needs_lengths
def test_every_seinfeld_example_has_its_known_length_in_tokens(tmp_path: Path) -> None:
    try:
        counter = load_counter("auto")
    except NoTokenizerError as error:
        pytest.skip(f"cl100k_base is neither cached nor within reach: {error}")
    # The known lengths come from a reader that took Morty's "None" for a missing value.
    with zipfile.ZipFile(ARCHIVE) as archive:
        rows = csv.reader(io.StringIO(archive.read("scripts.csv").decode(), newline=""))
        kept = [row for row in rows if row[2] != "None"]
    with (tmp_path / "scripts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(kept)
    out = tmp_path / "out"
    prepare(PreparationJob(load_show("seinfeld"), str(tmp_path), out, "script", tokenizer="none"))
    known = json.loads(LENGTHS.read_text())
    for half, name in {"train": TRAINING_FILE, "val": HELD_OUT_FILE}.items():
        with (out / name).open(encoding="utf-8") as file:
            lengths = count_lengths([json.loads(line) for line in file], counter)
        assert [[length.total, length.completion] for length in lengths] == known[half]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
