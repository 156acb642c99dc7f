import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nothing_gpt.records import decode
from nothing_gpt.show import Character, Show, load_show, render_show, show_names

EXAMPLES = sorted((Path(__file__).parents[3] / "shows" / "examples").glob("*.toml"))


@pytest.mark.parametrize("name", [*show_names(), *map(str, EXAMPLES)])
def test_a_show_that_is_written_is_read_as_it_was(name: str) -> None:
    show = load_show(name)
    assert decode(Show, tomllib.loads(render_show(show)), "it") == show


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(texts, texts, texts)
def test_so_is_any_text(title: str, voice: str, column: str) -> None:
    show = load_show("unclaimed")
    corpus = replace(show.corpus, where={column: voice}, setting_markers=(title,))
    changed = replace(show, title=title, cast=(Character("DOT", voice=voice),), corpus=corpus)
    assert decode(Show, tomllib.loads(render_show(changed)), "it") == changed
