import json
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.sources.downloads import download
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile, read_files
from nothing_gpt.errors import UserError
from tests.data_prep.samples import CORPUS

FILES = {
    "one.fountain": "INT. A - DAY\n\nANN\nOh.\n",
    "two.txt": "Ann: Hi.\nBob: Hi.\n",
    "deep/two.fdx": (
        '<FinalDraft><Content><Paragraph Type="Character"><Text>ANN</Text></Paragraph>'
        '<Paragraph Type="Dialogue"><Text>Oh.</Text></Paragraph></Content></FinalDraft>'
    ),
    "three.csv": "speaker;line;episode\nAnn;Hi.;1\nAnn;Hi.;7\n",
    "deep/four.jsonl": '{"speaker": "Ann", "line": "Hi.", "episode": 1}\n',
    "five.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi.\n",
    "six.html": "<html><p>Ann: Hi.</p><p>Bob: Hi.</p></html>",
    "README.md": "# Scripts\n\nNothing here.\n",
    "cover.png": "\x89PNG\x00\x00",
}
EPISODES = {"one", "two", "deep/two", "three.csv-1", "7", "deep/four.jsonl-1", "five", "six"}


def write_all(folder: Path) -> Path:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_folder_or_a_zip_of_any_mix_is_read(tmp_path: Path) -> None:
    folder = write_all(tmp_path / "mix")
    archive = tmp_path / "mix.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in FILES:
            file.write(folder / name, name)
    for place in (folder, archive):
        reading = read_sources(read_files(place, CORPUS), CORPUS)
        assert {speech.episode for speech in reading.speeches} == EPISODES
        skipped = [note.removeprefix(f"skipped {place}/") for note in reading.notes[-2:]]
        assert [note.partition(":")[0] for note in skipped] == ["cover.png", "README.md"]


@pytest.mark.parametrize("tables", [1, 2])
def test_a_script_and_tables_with_one_episode_id_stay_apart(tables: int) -> None:
    script = SourceFile("in/7.fountain", FILES["one.fountain"].encode(), "7.fountain")
    rows = b"speaker,line,episode\nBob,Hi.,7\nBob,Hi.,8\n"
    others = [SourceFile(f"in/{n}.csv", rows, f"{n}.csv") for n in range(tables)]
    reading = read_sources([script, *others], CORPUS)
    found = [(speech.episode, speech.character) for speech in reading.speeches]
    assert found[-1] == ("7", "ANN")
    assert [episode for episode, _ in found[:2]] == ["0.csv-7", "8" if tables == 1 else "0.csv-8"]
    assert all(character == "Bob" for _, character in found[:-1])


def test_the_kind_of_a_show_decides_between_the_formats_of_plain_text() -> None:
    text = b"Ann: Hi.\nBob: Hi.\n\nCARL\nOh.\n"
    found = {
        kind: [s.character for s in read_sources([SourceFile("a", text)], corpus).speeches]
        for kind in ("fountain", "transcript")
        if (corpus := replace(CORPUS, kind=kind))
    }
    assert found == {"fountain": ["CARL"], "transcript": ["Ann", "Bob"]}
    with pytest.raises(UserError, match="a: no column for the speaker"):
        read_sources([SourceFile("a", text)], replace(CORPUS, kind="table"))


def test_a_zip_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", "Ann: Hi.\n")
    data = bytearray(archive.read_bytes())
    size = data.index(b"PK\x01\x02") + 24
    data[size : size + 4] = (0xF0000000).to_bytes(4, "little")
    archive.write_bytes(data)
    with pytest.raises(UserError, match=r"bomb\.zip: 1 files of .* more than the limit"):
        read_files(archive, CORPUS)


STARTS = st.sampled_from(
    ["", "%PDF-1.4", "PAR1", "WEBVTT\n\n", "<html>", "<FinalDraft>", '[{"', '{"a": 1}\n{"',
     "speaker,line\n", "L1 +++$+++ u +++$+++ m", "1\n00:00:01,000 --> 00:00:02,000\n", "\ufeff",
     "Ann: Hi.\n", "INT. A\n\nANN\nOh.\n", '"', "\xff\xfe"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(STARTS, st.text(max_size=200) | st.binary(max_size=200))
def test_whatever_a_file_holds_is_read_or_refused_in_words(start: str, rest: str | bytes) -> None:
    data = start.encode() + (rest if isinstance(rest, bytes) else rest.encode(errors="replace"))
    with suppress(UserError):
        read_sources([SourceFile("a", data)], CORPUS)


def test_a_data_set_of_the_hub_is_read_from_its_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub's own client, offline, on a copy in the form in which it stores downloads."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    repository = tmp_path / "datasets--somebody--pier"
    snapshot = repository / "snapshots" / ("0" * 40)
    for folder in (snapshot, repository / "blobs", repository / "refs"):
        folder.mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    blob = repository / "blobs" / "1"
    blob.write_text(json.dumps([{"speaker": "Ann", "text": "Hi."}]))
    (snapshot / "train.json").symlink_to(blob)
    reading = read_sources(read_files(download("hf:somebody/pier"), CORPUS), CORPUS)
    assert [(s.character, s.dialogue) for s in reading.speeches] == [("Ann", "Hi.")]
    with pytest.raises(UserError, match="data set somebody/none: it is not in the cache"):
        download("hf:somebody/none")
    with pytest.raises(UserError, match="write hf:OWNER/NAME"):
        download("hf:some body/x/y")


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.fountain"
    secret.write_text("INT. A - DAY\n\nANN\nMy key.\n")
    folder = write_all(tmp_path / "scripts")
    (folder / "inner.fountain").symlink_to(folder / "one.fountain")
    read_files(folder, CORPUS)
    (folder / "outer.fountain").symlink_to(secret)
    with pytest.raises(UserError, match="a link that leads out"):
        read_files(folder, CORPUS)
