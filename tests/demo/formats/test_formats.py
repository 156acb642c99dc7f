"""Scenes out and in again, and into readers that are not ours."""

import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from fdx_parser import parse_fdx
from hypothesis import assume, given
from hypothesis import strategies as st
from screenplain.parsers.fountain import parse as parse_fountain
from screenplain.types import Action, Dialog, Slug
from screenplay_tools.fountain.parser import Parser

from demo.formats import FORMATS, export_scene, import_scene
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.errors import UserError
from nothing_gpt.line import collapse, is_name
from nothing_gpt.prompt import Direction

SCENE = Scene(
    (
        Entry("It is ringing.", "DOT"),
        Entry("Felix picks it up."),
        Entry("Hello?", "FELIX", Provenance("unclaimed", 7)),
    ),
    Direction("A telephone: one too many.", "INT. OFFICE - DAY", ("DOT", "FELIX")),
)

# Everything that Fountain reads as something else at the start of a line or inside it.
TRAPS = [
    "!no", "@DOT", ".hidden", "...well", ">cut<", "> cut to", "# one", "~la la", "= so", "===",
    "(sighs)", "(sighs) No.", "INT. what?", "ext. what", "FADE IN: no", "CUT TO:", "Title: me",
    "DOT (sighs)", "Aß",
    "[[0]]", "a [[note", "/* no", "7*/", "/*0*/", "*loud*", "DOT", "DOT (CONT'D)", "No. ^", "#1#",
]  # fmt: skip
WORDS = st.one_of(st.text(min_size=1), st.sampled_from(TRAPS)).map(
    lambda text: collapse(text.replace("\u200b", ""))
)
TEXTS = WORDS.filter(bool)
SETTINGS = st.just("") | WORDS.map(lambda text: collapse("At " + text))
NAMES = st.sampled_from(["DOT", "MR. PIKE", "ÉLOÏSE", "INT. BOB", "EXT RA", "MAN #1"])
TAKES = st.builds(Provenance, st.sampled_from(["unclaimed", "a/b"]), st.integers(0, 9), WORDS)
DIRECTIONS = st.builds(Direction, WORDS, SETTINGS, st.lists(NAMES, unique=True).map(tuple))


def scenes(takes: st.SearchStrategy[Provenance | None]) -> st.SearchStrategy[Scene]:
    entries = st.builds(Entry, TEXTS, st.none() | NAMES, takes, st.booleans())
    return st.builds(Scene, st.lists(entries, min_size=1).map(tuple), DIRECTIONS)


SCENES = scenes(st.none() | TAKES)
ANONYMOUS = scenes(st.none()).map(
    lambda scene: replace(scene, entries=tuple(Entry(e.text, e.speaker) for e in scene.entries))
)


@given(SCENES)
def test_json_holds_everything(scene: Scene) -> None:
    assert import_scene("json", export_scene(scene, "json", "Unclaimed")) == scene


@given(ANONYMOUS)
def test_fountain_and_plain_text_hold_all_but_who_wrote_it(scene: Scene) -> None:
    for ending in ("fountain", "txt"):
        text = export_scene(scene, ending, "Unclaimed")
        assume("\0" not in text)  # a sign that a file is no text
        assert import_scene(ending, text) == scene


@given(ANONYMOUS)
def test_fdx_holds_what_is_played(scene: Scene) -> None:
    def written(text: str) -> str:
        return "".join(c if _is_xml(c) else "\ufffd" for c in text)

    entries = tuple(Entry(written(e.text), e.speaker) for e in scene.entries)
    played = Scene(entries, Direction(setting=written(scene.direction.setting)))
    assert import_scene("fdx", export_scene(scene, "fdx", "Unclaimed")) == played


def _is_xml(character: str) -> bool:
    code = ord(character)
    return code in (9, 10, 13) or (
        code >= 0x20 and not 0xD800 <= code < 0xE000 and code & ~1 != 0xFFFE
    )


@pytest.mark.parametrize("ending", [kind.ending for kind in FORMATS])
def test_who_wrote_a_line_is_kept_where_it_can_be(ending: str) -> None:
    there = import_scene(ending, export_scene(SCENE, ending, "Unclaimed"))
    assert [entry.words for entry in there.entries] == [entry.words for entry in SCENE.entries]
    assert [e.origin for e in there.entries][2] == ("model" if ending == "json" else "human")


def test_a_setting_that_no_heading_can_hold_is_still_there() -> None:
    scene = SCENE.with_direction(Direction(setting="(nowhere)"))
    text = export_scene(scene, "fountain", "Unclaimed")
    assert import_scene("fountain", text).entries[0] == Entry("(nowhere)")


@pytest.mark.parametrize("trap", TRAPS)
def test_no_words_become_marks(trap: str) -> None:
    entries = (Entry(trap, "DOT"), Entry(trap), Entry(trap, "BEA"))
    scene = Scene(entries, Direction(trap, "INT. " + trap))
    for ending in ("fountain", "txt"):
        text = export_scene(scene, ending, "Unclaimed")
        assume("\0" not in text)  # a sign that a file is no text
        assert import_scene(ending, text) == scene


def test_fountain_looks_like_fountain() -> None:
    assert export_scene(SCENE, "fountain", "Unclaimed") == (
        "Title: Unclaimed\nNotes: Written with unclaimed\n\n\n\n"
        "INT. OFFICE - DAY\n\n= A telephone: one too many.\n\n[[Present: DOT, FELIX]]\n\n"
        "DOT\nIt is ringing.\n\nFelix picks it up.\n\nFELIX\nHello?\n"
    )


def test_plain_text_looks_like_a_script() -> None:
    assert export_scene(SCENE, "txt", "Unclaimed") == (
        "UNCLAIMED\n=========\n\nPremise: A telephone: one too many.\n"
        "Setting: INT. OFFICE - DAY\nPresent: DOT, FELIX\n\n"
        "DOT: It is ringing.\n\n(Felix picks it up.)\n\nFELIX: Hello?\n"
    )


def test_json_tells_people_too_who_wrote_what() -> None:
    data = json.loads(export_scene(SCENE, "json", "Unclaimed"))
    assert [line["origin"] for line in data["lines"]] == ["human", "human", "model"]
    assert data["lines"][2]["take"] == {"model": "unclaimed", "seed": 7, "base": ""}


@given(st.sampled_from(TRAPS))
def test_a_title_is_a_title(title: str) -> None:
    parser = Parser()
    parser.add_text(export_scene(SCENE, "fountain", title))
    assert parser.script.titleEntries[0].key == "Title"
    assert parser.script.titleEntries[0].text_raw.replace("\u200b", "") == title
    assert import_scene("txt", export_scene(SCENE, "txt", title)).entries[0].speaker == "DOT"


PLAIN = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "Po", "Zs"], exclude_characters="*_\\"),
    min_size=1,
).map(lambda text: collapse(f"So {text}"))
READABLE = st.lists(st.builds(Entry, PLAIN, st.none() | st.sampled_from(["DOT", "MR. PIKE"])))


@given(READABLE)
def test_another_reader_of_fountain_sees_the_same_play(entries: list[Entry]) -> None:
    scene = Scene((Entry("So.", "DOT"), *entries), SCENE.direction)
    text = export_scene(scene, "fountain", "Unclaimed")
    seen: list[tuple[str | None, str]] = []
    for element in parse_fountain(io.StringIO(text)):
        if isinstance(element, Slug):
            assert str(element.line) == "INT. OFFICE - DAY"
        elif isinstance(element, Dialog):
            words = [str(line) for _, line in element.blocks]
            name = str(element.character).removesuffix(" (CONT'D)")
            seen.append((name, " ".join(words)))
        elif isinstance(element, Action):
            seen += [(None, str(line)) for line in element.lines]
    assert seen == [entry.words for entry in scene.entries]


def test_fdx_is_the_xml_that_final_draft_writes() -> None:
    """Against Final Draft's own form, by a parser that knows nothing of screenplays."""
    scene = SCENE.append(Entry('<b>&amp;]]> "No" \u202e </Text>', "MR. PIKE"))
    text = export_scene(scene, "fdx", "Unclaimed")
    root = ElementTree.fromstring(text.encode())  # noqa: S314 - our own
    assert (root.tag, root.get("DocumentType")) == ("FinalDraft", "Script")
    (content,) = root.findall("Content")
    told = [(p.get("Type"), "".join(p.itertext()).strip()) for p in content]
    assert {p.tag for p in content} == {"Paragraph"}
    assert told == [
        ("Scene Heading", "INT. OFFICE - DAY"),
        ("Character", "DOT"),
        ("Dialogue", "It is ringing."),
        ("Action", "Felix picks it up."),
        ("Character", "FELIX"),
        ("Dialogue", "Hello?"),
        ("Character", "MR. PIKE"),
        ("Dialogue", '<b>&amp;]]> "No" \u202e </Text>'),
    ]


@given(READABLE)
def test_another_reader_of_fdx_sees_the_same_play(entries: list[Entry]) -> None:
    scene = Scene((Entry("So.", "DOT"), *entries), SCENE.direction)
    (seen,) = parse_fdx(export_scene(scene, "fdx", "Unclaimed"))
    assert (seen.interior_exterior, seen.location, seen.time_of_day) == ("INT", "OFFICE", "DAY")
    assert seen.body_lines == [words for entry in scene.entries for words in entry.words if words]
    assert set(seen.characters) == {entry.speaker for entry in scene.entries if entry.speaker}


FOREIGN = """\
Title: The Bus
Author: Somebody

= A bus is late.

INT. KITCHEN - DAY

= They wait.

Rain. A clock.

DOT (V.O.)
(quietly)
It is late.
It is very late. [[cut?]]

@McAvoy
No.

CUT TO:

EXT. STREET - NIGHT

/* not this
DOT
Never said. */

FELIX ^
A bus!
"""


def test_somebody_elses_fountain() -> None:
    scene = import_scene("fountain", FOREIGN)
    assert scene.direction == Direction("A bus is late.", "INT. KITCHEN - DAY")
    assert [entry.words for entry in scene.entries] == [
        (None, "Rain. A clock."),
        ("DOT", "quietly"),
        ("DOT", "It is late. It is very late."),
        ("MCAVOY", "No."),
        (None, "CUT TO:"),
        (None, "EXT. STREET - NIGHT"),
        ("FELIX", "A bus!"),
    ]
    forms = [None, "parenthetical", None, None, "transition", "heading", "dual"]
    assert [entry.form for entry in scene.entries] == forms
    assert [line.text for line in scene.lines][:2] == ["It is late. It is very late.", "No."]


FORMED = st.one_of(
    st.builds(
        Entry, st.sampled_from(["beat", "to June, softly"]), NAMES, form=st.just("parenthetical")
    ),
    st.builds(Entry, st.sampled_from(["CUT TO:", "Fade to grey"]), form=st.just("transition")),
    st.builds(Entry, st.sampled_from(["INT. BAR - NIGHT", "The bar"]), form=st.just("heading")),
    st.builds(Entry, st.sampled_from(["No.", "Rain."]), st.none() | NAMES),
)


@given(st.lists(FORMED, min_size=1))
def test_each_element_stays_what_it_is_in_both_formats(entries: list[Entry]) -> None:
    scene = Scene(tuple(entries), Direction(setting="INT. OFFICE - DAY"))
    for ending in ("fountain", "fdx", "json"):
        assert import_scene(ending, export_scene(scene, ending, "Unclaimed")) == scene


@pytest.mark.parametrize("ending", ["fountain", "fdx", "json"])
def test_dual_dialogue_stays_dual(ending: str) -> None:
    entries = (
        Entry("Before.", "JUNE"),
        Entry("Left.", "DOT"),
        Entry("softly", "FELIX", form="parenthetical"),
        Entry("Right.", "FELIX", form="dual"),
        Entry("After.", "JUNE"),
        Entry("One.", "DOT"),
        Entry("Two.", "JUNE", form="dual"),
        Entry("Rain."),
    )
    scene = Scene(entries)
    assert import_scene(ending, export_scene(scene, ending, "Unclaimed")) == scene


def test_a_name_that_is_too_long_is_not_lost() -> None:
    text = "INT. HALL\n\nTHE SECOND LADY WITH A VERY LARGE HAT\nGood evening.\n"
    assert import_scene("fountain", text).entries == (
        Entry("THE SECOND LADY WITH A VERY LARGE HAT: Good evening."),
    )


def test_names_of_every_kind_speak_and_no_others_are_lost() -> None:
    cues = ["ÉTIENNE", "E\u0301LO", "O’BRIEN", '"DOC" BROWN:', "DOT (V.O.) (CONT'D)", "DOT & BEA"]
    text = "".join(f"{cue}\nOh.\n\n" for cue in cues)
    assert [entry.words for entry in import_scene("fountain", text).entries] == [
        ("ÉTIENNE", "Oh."), ("ÉLO", "Oh."), ("O'BRIEN", "Oh."), ("DOC BROWN", "Oh."),
        ("DOT", "Oh."), (None, "DOT & BEA: Oh."),
    ]  # fmt: skip


def test_what_is_sung_by_nobody_is_a_direction() -> None:
    scene = import_scene("fountain", "DOT\nOh.\n~La\n\n~La la\n\nRain.\n\n~La\n")
    assert [entry.words for entry in scene.entries] == [
        ("DOT", "Oh. La"), (None, "La la"), (None, "Rain."), (None, "La"),
    ]  # fmt: skip


def test_somebody_elses_text() -> None:
    text = "\ufeffDOT: No.\r\n[FELIX] Why?\r\n(A pause.)\r\nSomething else: here.\r\n"
    assert [entry.words for entry in import_scene(".TXT", text).entries] == [
        ("DOT", "No."),
        ("FELIX", "Why?"),
        (None, "A pause."),
        (None, "Something else: here."),
    ]


@pytest.mark.parametrize(
    ("ending", "text", "words"),
    [
        ("docx", "x", "these can"),
        ("fdx", "DOT: No.", "no Final Draft file"),
        ("fdx", "<FinalDraft><Content>", "damaged"),
        ("fdx", "<FinalDraft></FinalDraft>", "no scene"),
        ("fountain", "Title: Only this\n", "no scene"),
        ("txt", " \n", "no scene"),
        ("json", "{", "no JSON"),
        ("json", "[]", "no scene of this room"),
        ("json", '{"kind": "nothing-gpt scene", "version": 9}', "another version"),
        (
            "json",
            '{"kind": "nothing-gpt scene", "version": 1, "title": "", "x": 1}',
            "unknown key",
        ),
    ],
)
def test_what_is_no_such_file_is_refused_in_words(ending: str, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        import_scene(ending, text)


def test_an_entity_bomb_is_refused() -> None:
    bomb = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "ha" * 50}">' for i in range(9))
    play = "<Content><Paragraph><Text>&a8;</Text></Paragraph></Content>"
    text = f"<!DOCTYPE FinalDraft [{bomb}]><FinalDraft>{play}</FinalDraft>"
    with pytest.raises(UserError, match="damaged"):
        import_scene("fdx", text)


@given(st.sampled_from([kind.ending for kind in FORMATS]), st.text())
def test_no_text_breaks_the_reading(ending: str, text: str) -> None:
    try:
        scene = import_scene(ending, text)
    except UserError:
        return
    assert scene != Scene()
    assert all(entry.text == collapse(entry.text) for entry in scene.entries)


@pytest.mark.parametrize("ending", [kind.ending for kind in FORMATS])
def test_no_damage_to_a_file_breaks_the_reading(ending: str) -> None:
    text = export_scene(SCENE, ending, "Unclaimed")
    for place in range(0, len(text), 7):
        for damaged in (
            text[:place],
            text[:place] + text[place + 1 :],
            text[:place] + "<" + text[place:],
        ):
            try:
                import_scene(ending, damaged)
            except UserError:
                continue


def test_bytes_that_are_no_text_are_refused_in_words() -> None:
    picture = bytes(range(256)) * 4
    for text in ("Hello\0", picture[1:].decode("utf-8", "replace")):
        with pytest.raises(UserError, match="it is no text"):
            import_scene("txt", text)
    assert import_scene("txt", "DOT: \ufffd").entries[0].text == "\ufffd"
    latin = "DOT: Il est déjà là, à côté de la fenêtre.\n".encode("latin-1").decode(
        "utf-8", "replace"
    )
    assert import_scene("txt", latin).entries[0].speaker == "DOT"


def test_the_names_here_are_names() -> None:
    assert all(is_name(name) for name in ("ÉLOÏSE", "INT. BOB", "EXT RA", "MAN #1"))
