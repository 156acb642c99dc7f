from pathlib import Path

import pytest

from nothing_gpt.errors import UserError
from nothing_gpt.records import decode, encode
from nothing_gpt.show import SHOWS, Show, load_show, show_names, show_path

MINIMAL = """
name = "pier"
title = "The Pier"

[[cast]]
name = "ANN"
aliases = ["ANNIE"]
voice = "sells  tickets"

[[cast]]
name = "O'BRIEN"

[prompt]
format = "script"
system = "A scene from {title}.\\n{cast}\\n"

[corpus]
kind = "fountain"
source = "scripts"
licence = "CC0-1.0"
"""


def load(folder: Path, text: str) -> Show:
    path = folder / "show.toml"
    path.write_text(text, encoding="utf-8")
    return load_show(str(path))


def test_a_show_needs_no_code(tmp_path: Path) -> None:
    show = load(tmp_path, MINIMAL)
    assert show.names == ("ANN", "O'BRIEN")
    assert show.aliases == {"ANNIE": "ANN"}
    assert show.system == "A scene from The Pier.\n- ANN: sells tickets"
    assert (show.windows.turns, show.split.seed, show.split.held_out) == (35, 42, 0.1)


@pytest.mark.parametrize("name", show_names())
def test_the_shows_of_the_checkout_load(name: str) -> None:
    show = load_show(name)
    assert show.name == name
    assert "{" not in show.system
    assert show_path(name) == SHOWS / name / "show.toml"
    assert decode(Show, encode(show), "manifest") == show


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[prompt]", "[prompt]\nsytem = 1", r"show\.toml: prompt: unknown key 'sytem'; allowed"),
        ("[prompt]", "colour = 1\n[prompt]", r"show\.toml: cast\[1\]: unknown key 'colour'"),
        ('["ANNIE"]', '["O\'BRIEN"]', r"'O'BRIEN' stands for both ANN and O'BRIEN"),
        ('["ANNIE"]', '["ANNIE", "ANNIE"]', r"'ANNIE' stands for both ANN and ANN"),
        ('"O\'BRIEN"', '"ANN"', r"'ANN' stands for both"),
        ('"ANN"', '"Ann"', r"'Ann' cannot be a character's name"),
        ('name = "pier"', 'name = "../pier"', r"name '\.\./pier' must be"),
        ('"script"', '"scripted"', r"'format' is 'scripted'; allowed: script, directed"),
        ("[corpus]", "[windows]\ncontext = 40\n[corpus]", r"windows need 0 < context"),
        ("[corpus]", "[split]\nheld_out = 1.0\n[corpus]", r"split needs 0 < held_out < 1"),
        ("[corpus]", "[corpus", r"show\.toml: not a readable TOML file"),
    ],
)
def test_mistakes_are_refused_by_name(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in MINIMAL
    with pytest.raises(UserError, match=message):
        load(tmp_path, MINIMAL.replace(old, new, 1))


def test_an_unknown_show_is_refused_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"no show 'nowhere'; known: .*seinfeld, unclaimed"):
        load_show("nowhere")
    with pytest.raises(UserError, match=r"nowhere\.toml: no such show file"):
        load_show("nowhere.toml")


def test_broken_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "show.toml"
    path.write_bytes(MINIMAL.encode() + b'# caf\xe9"')
    with pytest.raises(UserError, match="not a readable TOML file"):
        load_show(str(path))


def test_a_show_needs_a_title_a_cast_and_scripts_only(tmp_path: Path) -> None:
    text = 'name = "a"\ntitle = "Pier"\n[[cast]]\nname = "ANN"\n[[cast]]\nname = "BOB"\n'
    path = tmp_path / "a.toml"
    path.write_text(f'{text}[corpus]\nsource = "x"\nlicence = "CC0"\n')
    assert load_show(str(path)).system.startswith("Continue this scene from Pier.\n")
    assert load_show(str(path)).system.endswith("\n\n- ANN\n- BOB")
    path.write_text('name = "a"\ntitle = "A"\ncast = []\n[corpus]\nsource = "x"\nlicence = ""\n')
    with pytest.raises(UserError, match="cast: name at least one character"):
        load_show(str(path))
