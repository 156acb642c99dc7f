import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from data_prep.job import PreparationJob
from data_prep.output import OUTPUTS
from data_prep.pipeline import prepare
from nothing_gpt.errors import UserError
from nothing_gpt.quotation import read_quotations
from nothing_gpt.show import Show
from nothing_gpt.workspace import DATA_REPORT_FILE, DIALOGUES_FILE, HELD_OUT_FILE, TRAINING_FILE
from tests.data_prep.samples import (
    COLUMNS,
    SCREENPLAY,
    TABLE_SHOW,
    table_show,
    talk,
    write_csv,
    write_tables,
)


@pytest.fixture
def job(tmp_path: Path) -> PreparationJob:
    source = write_tables(tmp_path / "tables")
    show = table_show(tmp_path)
    return PreparationJob(show, str(source), tmp_path / "out", "directed", tokenizer="none")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def load_lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def fountain_show(show: Show) -> Show:
    return replace(show, corpus=replace(show.corpus, kind="fountain", file="", titles=None))


def test_the_output_is_what_training_reads(job: PreparationJob) -> None:
    report, done = prepare(job)
    assert done
    assert set(contents(job.out)) == OUTPUTS
    train, validation = load_lines(job.out / TRAINING_FILE), load_lines(job.out / HELD_OUT_FILE)
    # 20 turns: windows of at least 4 start at 0, 2, ... 16; one of six episodes is held out.
    assert (len(train), len(validation)) == (5 * 9, 1 * 9)
    assert all(set(record) == {"prompt", "completion"} for record in train + validation)
    lines = load_lines(job.out / DIALOGUES_FILE)
    assert len(lines) == 6 * 20
    assert lines[0] == {
        "episode": "E01",
        "speaker": "ANN",
        "text": "Ticket 0, please.",
        "premise": "Boat E01",
        "setting": "Pier",
        "split": "train",
    }
    held_out = {line["episode"] for line in lines if line["split"] == "validation"}
    assert held_out == set(report.held_out)


def test_the_report_adds_up(job: PreparationJob) -> None:
    rows = [("ANN & BOB", "Hi!", "E01"), ("SIGHS", "Hi!", "E01"), ("BOB", "(nods)", "E01")]
    table = Path(job.source) / "lines.csv"
    with table.open("a", encoding="utf-8", newline="") as file:
        file.writelines(",".join(row) + "\n" for row in rows * 3)
    report, _ = prepare(job)
    assert report.rows.read == report.lines.read == 6 * 21 + 9
    assert (report.rows.kept, report.rows.settings) == (120, 6)
    assert {why: dropped.count for why, dropped in report.rows.dropped.items()} == {
        "stands for several people": 3,
        "stage business in place of a name": 3,
        "nothing but an aside": 3,
    }
    assert report.characters == {"ANN": 60, "BOB": 60}
    text = (job.out / "report.md").read_text(encoding="utf-8")
    assert "| dropped: stands for several people | 3 | `ANN & BOB` (3 times) |" in text
    assert "| examples | 45 | 9 |" in text


def test_two_runs_write_the_same_bytes(job: PreparationJob, tmp_path: Path) -> None:
    other = replace(job, out=tmp_path / "other")
    prepare(job)
    prepare(other)
    assert contents(job.out) == contents(other.out)


def test_the_formats_share_their_windows(job: PreparationJob, tmp_path: Path) -> None:
    script = replace(job, format="script", out=tmp_path / "script")
    prepare(job)
    prepare(script)
    for name in (TRAINING_FILE, HELD_OUT_FILE):
        pairs = zip(load_lines(job.out / name), load_lines(script.out / name), strict=True)
        for directed, plain in pairs:
            assert directed["completion"] == plain["completion"]
            assert directed["prompt"][1:] == plain["prompt"][1:]  # type: ignore[index]
    systems = [json.dumps(record["prompt"]) for record in load_lines(job.out / TRAINING_FILE)]
    assert any("Premise: Boat E0" in system for system in systems)
    assert any("Setting: Pier" in system for system in systems)
    assert any("Present: ANN, BOB" in system for system in systems)


def test_nothing_is_done_twice(job: PreparationJob, tmp_path: Path) -> None:
    prepare(job)
    before = (job.out / DATA_REPORT_FILE).stat().st_mtime_ns
    report, done = prepare(job)
    assert not done
    assert report.examples.train == 45
    assert (job.out / DATA_REPORT_FILE).stat().st_mtime_ns == before
    assert prepare(job, fresh=True)[1]
    assert not prepare(job)[1]
    assert prepare(replace(job, format="script"))[1]
    assert prepare(job)[1]
    changed = table_show(tmp_path, TABLE_SHOW.replace("stride = 2", "stride = 3"))
    assert prepare(replace(job, show=changed))[1]
    assert prepare(job)[1]
    write_csv(Path(job.source) / "titles.csv", ("Episode", "Title"), [("E01", "Gone")])
    assert prepare(job)[1]
    (job.out / HELD_OUT_FILE).unlink()
    assert prepare(job)[1]
    (job.out / DATA_REPORT_FILE).write_text("{")
    assert prepare(job)[1]
    assert not prepare(job)[1]


def test_a_zip_is_as_good_as_its_folder(job: PreparationJob, tmp_path: Path) -> None:
    prepare(job)
    archive = tmp_path / "tables.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in Path(job.source).iterdir():
            file.write(path, f"inner/{path.name}")
    assert not prepare(replace(job, source=str(archive)))[1]


def test_fountain_comes_from_a_folder_a_zip_or_one_file(
    job: PreparationJob, tmp_path: Path
) -> None:
    show = fountain_show(job.show)
    scripts = tmp_path / "scripts"
    (scripts / "deep" / ".hidden").mkdir(parents=True)
    (scripts / "deep" / ".hidden" / "3.fountain").write_text("no dialogue")
    speeches = "".join(f"{name}\n{text}\n\n" for name, text, _ in talk("", 12))
    for number in (2, 1):
        text = SCREENPLAY.replace("E01", f"E0{number}") + "\n" + speeches
        (scripts / "deep" / f"{number}.fountain").write_text(text, encoding="utf-8")
    (notes := scripts / "notes.txt").write_text("not a script")
    with zipfile.ZipFile(tmp_path / "scripts.zip", "w") as file:
        for path in scripts.rglob("*"):
            file.write(path, path.relative_to(scripts))
        file.writestr("__MACOSX/._1.fountain", b"\xff\xff")
    reports = [
        prepare(replace(job, show=show, source=str(source), out=tmp_path / f"out{i}"))[0]
        for i, source in enumerate(
            [scripts, tmp_path / "scripts.zip", scripts / "deep" / "1.fountain"]
        )
    ]
    halves = [(report.episodes.train, report.episodes.validation) for report in reports]
    assert halves == [(1, 1), (1, 1), (1, 0)]
    assert reports[0].examples == reports[1].examples
    assert [note.partition(": ")[0] for note in reports[0].notes] == [f"skipped {notes}"]
    assert reports[2].notes == ("no validation example: no held-out episode is long enough",)
    assert (tmp_path / "out2" / HELD_OUT_FILE).read_bytes() == b""


@pytest.mark.parametrize(
    ("kind", "name", "data", "message"),
    [
        ("table", "nothing", None, r"nothing: no such folder or file.*--source"),
        ("table", "a.csv", b"Who,Said\n", r"a\.csv: no column 'What', 'Episode'"),
        ("table", "a.csv", b"Who,What,Episode\nANN,\x00,E1\n", r"a\.csv: is no text"),
        (
            "table",
            "a.csv",
            b"Who,What,Episode\nANN,Hi,E1\n",
            r"no episode .* long enough.*needs: 4",
        ),
        ("table", "a.csv", b"Who,What,Episode\n", r"no episode .* long enough \(episodes: 0"),
        ("table", "a.zip", b"PK\x03\x04 cut off", r"a\.zip: not a whole zip archive"),
        ("table", "folder/b.csv", b"", r"folder: no lines\.csv in it"),
        ("fountain", "folder/.a.txt", b"", r"folder: no file in it"),
        ("fountain", "folder/a.fountain", b"INT. A - DAY\n", r"a\.fountain: no dialogue"),
    ],
)
def test_a_source_that_will_not_do_leaves_everything_as_it_was(
    job: PreparationJob, tmp_path: Path, kind: str, name: str, data: bytes | None, message: str
) -> None:
    prepare(job)
    before = contents(job.out)
    place = tmp_path / name
    if data is not None:
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)
    source = place.parent if "/" in name else place
    show = fountain_show(job.show) if kind == "fountain" else job.show
    with pytest.raises(UserError, match=message):
        prepare(replace(job, show=show, source=str(source)))
    with pytest.raises(UserError, match=message):
        prepare(replace(job, show=show, source=str(source), out=tmp_path / "new"))
    assert contents(job.out) == before
    assert not (tmp_path / "new").exists()


def test_a_damaged_zip_is_refused(job: PreparationJob, tmp_path: Path) -> None:
    archive = tmp_path / "tables.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("lines.csv", "Who,What,Episode\n" * 10)
    data = archive.read_bytes()
    archive.write_bytes(data.replace(b"Who", b"Why"))
    with pytest.raises(UserError, match=r"tables\.zip: cannot be read \(Bad CRC-32"):
        prepare(replace(job, source=str(archive)))


def test_an_encrypted_zip_is_refused_in_words(job: PreparationJob, tmp_path: Path) -> None:
    archive = tmp_path / "tables.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("lines.csv", "Who,What,Episode\n")
    data = bytearray(archive.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(header) + flags] |= 1
    archive.write_bytes(data)
    with pytest.raises(UserError, match=r"tables\.zip: is encrypted; unpack it"):
        prepare(replace(job, source=str(archive)))


def test_an_unknown_compression_is_refused_in_words(job: PreparationJob, tmp_path: Path) -> None:
    archive = tmp_path / "tables.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("lines.csv", "Who,What,Episode\n")
    data = bytearray(archive.read_bytes())
    for header, method in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(header) + method] = 97
    archive.write_bytes(data)
    with pytest.raises(UserError, match=r"tables\.zip: cannot be unpacked .*; unpack it with"):
        prepare(replace(job, source=str(archive)))


def test_what_matters_comes_first_in_the_report(job: PreparationJob, tmp_path: Path) -> None:
    speeches = "".join(f"{name}\n{text}\n\n" for name, text, _ in talk("", 12))
    lost = "".join(f"WORD{i} & X\nHi.\n\n" for i in range(30))
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for number in (1, 2):
        text = f"{speeches}JIM\nOh.\n\nBOB\n\nWhat?\n\n{lost}"
        (scripts / f"{number}.fountain").write_text(text, encoding="utf-8")
    report, _ = prepare(replace(job, show=fountain_show(job.show), source=str(scripts)))
    assert [(Path(miss.file).name, miss.line, miss.text) for miss in report.near_misses] == [
        ("1.fountain", 40, "BOB"), ("2.fountain", 40, "BOB"), ("1.fountain", 37, "JIM"),
    ]  # fmt: skip
    assert len(report.rows.dropped["not a character's name"].examples) == 30
    lines = report.lines
    assert lines.read == 2 * (12 * 2 + 2 + 2 + 60)
    assert lines.read == lines.speech + lines.direction + sum(lines.dropped.values())
    text = (job.out / "report.md").read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings[:2] == ["## Near misses", "## Lines of the sources"]
    assert "1.fountain:40 | `BOB` | looks like a cue with an empty line below it" in text
    assert "and 10 more in report.json" in text


def test_the_output_takes_the_place_of_nothing_else(job: PreparationJob, tmp_path: Path) -> None:
    for out, message in {
        Path(job.source): r"tables: holds other things \(lines\.csv, titles\.csv\)",
        tmp_path / "show.toml": r"show\.toml: is a file",
        tmp_path / "show.toml" / "out": r"cannot be written",
    }.items():
        with pytest.raises(UserError, match=message):
            prepare(replace(job, out=out))
    assert set(contents(Path(job.source))) == {"lines.csv", "titles.csv"}


def test_a_lone_table_without_titles_says_so(job: PreparationJob, tmp_path: Path) -> None:
    rows = [row for name in ("E1", "E2") for row in talk(name, 10)]
    table = write_csv(tmp_path / "alone" / "my.csv", COLUMNS, rows)
    report, _ = prepare(replace(job, source=str(table)))
    assert report.notes == (f"no episode titles: titles.csv is not beside {table}",)
    assert report.direction["premise"] == 0


def test_every_long_speech_is_in_the_index_of_quotations(job: PreparationJob) -> None:
    prepare(job)
    found = read_quotations(job.out)
    said = [str(line["text"]) for line in load_lines(job.out / DIALOGUES_FILE)]
    assert [found.contains(text) for text in said] == [len(text.split()) >= 5 for text in said]
    # Also what training shows as one turn, of speeches that follow each other.
    turns = [
        message["content"]
        for record in load_lines(job.out / TRAINING_FILE)
        for message in record["completion"]  # type: ignore[attr-defined]
    ]
    lines = [line for turn in turns for line in turn.splitlines()]
    spoken = [line.partition("] ")[2] for line in lines]
    assert all(found.contains(text) for text in spoken if len(text.split()) >= 5)
    assert not found.contains("Nobody has ever said this on a boat.")
