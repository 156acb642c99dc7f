import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.draft.show_draft import Member, draft_show
from data_prep.draft.show_file import render_draft, write_draft
from data_prep.episode import Reading, Speech
from data_prep.job import PreparationJob
from data_prep.pipeline import prepare
from nothing_gpt.errors import UserError
from nothing_gpt.show import Windows, load_show, name_source

DRAFT = draft_show("pier", "Pier", "pier", Reading([Speech("1", "Ann", "Hi.")]))


def write_scripts(folder: Path, turns: int = 40) -> Path:
    folder.mkdir()
    names = ("Ann", "Bob", "Ann", "Mr. Pike")
    for episode in (1, 2):
        lines = [f"{names[i % 4]}: Line {i}.\n" for i in range(turns)]
        text = "".join(lines) + "Ann Lee: Hm.\nBob: Hm.\nPike: Hm.\nDora: Hm.\n"
        (folder / f"{episode}.txt").write_text(text, encoding="utf-8")
    return folder


def test_scripts_alone_make_a_show_that_is_prepared_as_it_is(tmp_path: Path) -> None:
    source = write_scripts(tmp_path / "The Pier, 2")
    path = tmp_path / "new" / "show.toml"
    draft = write_draft(str(source), path)
    assert draft is not None
    assert [(member.name, member.suspects) for member in draft.cast] == [
        ("ANN", (("ANN LEE", 2),)), ("BOB", ()), ("MR. PIKE", (("PIKE", 2),)), ("DORA", ()),
    ]  # fmt: skip
    show = load_show(str(path))
    assert (show.name, show.title, show.corpus.source) == ("the_pier_2", "The Pier 2", str(source))
    assert '# aliases = ["ANN LEE"]  # the same person? Lines: 2' in path.read_text("utf-8")
    job = PreparationJob(show, str(source), tmp_path / "out", show.prompt.format, "none")
    report, _ = prepare(job)
    assert report.examples.train + report.examples.validation == draft.count


def test_a_draft_that_is_there_stays_as_its_owner_changed_it(tmp_path: Path) -> None:
    source, path = write_scripts(tmp_path / "pier"), tmp_path / "show.toml"
    write_draft(str(source), path)
    changed = path.read_text("utf-8").replace('"Pier"', '"The Pier"')
    path.write_text(changed, encoding="utf-8")
    assert write_draft(str(source), path) is None
    assert path.read_text("utf-8") == changed
    with pytest.raises(UserError, match=r"show\.toml: is the show file of other scripts"):
        write_draft(str(write_scripts(tmp_path / "sea")), path)


def test_scripts_of_one_episode_are_refused_before_training_does(tmp_path: Path) -> None:
    script = write_scripts(tmp_path / "pier") / "1.txt"
    with pytest.raises(UserError, match=r"1\.txt: is one episode, and training needs another"):
        write_draft(str(script), tmp_path / "show.toml")
    assert not (tmp_path / "show.toml").exists()


def test_windows_fit_short_scripts() -> None:
    def choose(episodes: int, turns: int) -> Windows:
        speeches = [
            Speech(str(episode), ("ANN", "BOB")[turn % 2], "Hi.")
            for episode in range(episodes)
            for turn in range(turns)
        ]
        return draft_show("a", "A", "a", Reading(speeches)).windows

    assert choose(20, 60) == Windows()
    assert choose(20, 12) == Windows(24, 4, 8, 2)
    assert choose(1, 12) == Windows(6, 1, 3, 1)


def test_settings_in_a_column_of_names_become_markers() -> None:
    speeches = [Speech("1", name, "Hi.") for name in ("[Scene", "ANN", "[scene 2", "BOB")]
    draft = draft_show("a", "A", "a", Reading(speeches))
    assert draft.setting_markers == ("[Scene",)
    assert [member.name for member in draft.cast] == ["ANN", "BOB"]


texts = st.text(st.characters(exclude_characters="\x7f", exclude_categories=["Cs"]))


@settings(deadline=None)
@given(texts, texts)
def test_any_text_is_written_as_toml(title: str, source: str) -> None:
    draft = replace(DRAFT, title=title, source=source, cast=(Member("ANN", 1.0),))
    data = tomllib.loads(render_draft(draft))
    assert (data["title"], data["corpus"]["source"]) == (title, source)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("my-scripts/", "my_scripts"),
        ("/a/Pier S01.zip", "pier_s01"),
        ("hf:somebody/The-Pier", "the_pier"),
        ("kaggle:somebody/pier", "pier"),
        ("24", "show_24"),
        ("Été", "ete"),
        ("明", "show"),
        ("class", "class"),
        ("unclaimed", "unclaimed_draft"),
    ],
)
def test_a_show_is_named_after_its_scripts(source: str, name: str) -> None:
    assert name_source(source) == name
