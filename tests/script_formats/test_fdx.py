import pytest

from nothing_gpt.errors import UserError
from script_formats.fdx import parse_fdx, write_fdx
from script_formats.screenplay import (
    Action,
    Cue,
    Dialogue,
    Element,
    Heading,
    Lyric,
    Note,
    PageBreak,
    Parenthetical,
    Screenplay,
    Section,
    Synopsis,
    TitleEntry,
    Transition,
)


def test_what_is_performed_is_parsed_again() -> None:
    performed = (
        Heading("INT. OFFICE - DAY"),
        Action("Rain <b>&amp;"),
        Cue("DOT"),
        Parenthetical("quietly"),
        Dialogue("It is late."),
        Transition("CUT TO:"),
    )
    rest = (Synopsis("Rain."), Note("why?"), Section("Act two"), PageBreak())
    text = write_fdx(Screenplay(performed + rest, (TitleEntry("Title", "The Bus"),)))
    assert parse_fdx(text) == Screenplay(performed)


def test_lyrics_are_lyrics_and_characters_that_xml_has_not_a_mark() -> None:
    text = write_fdx(Screenplay((Lyric("la\x00la\ud800"),)))
    assert parse_fdx(text).elements == (Lyric("la\ufffdla\ufffd"),)


def parse(*paragraphs: str, root: str = "FinalDraft", prefix: str = "") -> tuple[Element, ...]:
    content = f"<{prefix}Content>{''.join(paragraphs)}</{prefix}Content>"
    return parse_fdx(f"<{root}>{content}</{root.split()[0]}>").elements


def paragraph(kind: str, *runs: str) -> str:
    texts = "".join(f'<Text Style="Bold">{run}</Text>' for run in runs)
    return f'<Paragraph Type="{kind}">{texts}</Paragraph>'


def test_all_runs_of_a_paragraph_are_its_text() -> None:
    assert parse(
        paragraph("Character", "THE ", "DOT", " (V.O.)"),
        paragraph("Dialogue", "It is ", "never", " late."),
        paragraph("Parenthetical", "(", "sits", ")"),
        paragraph("Action", "Rain. ", "BANG."),
    ) == (
        Cue("THE DOT"),
        Dialogue("It is never late."),
        Parenthetical("sits"),
        Action("Rain. BANG."),
    )


@pytest.mark.parametrize("around", ["<Paragraph>{}</Paragraph>", "{}"])
def test_dual_dialogue_is_read_in_its_order(around: str) -> None:
    speeches = [
        paragraph("Character", name) + paragraph("Dialogue", words)
        for name, words in (("DOT", "One."), ("BEA", "Two."))
    ]
    dual = around.format(f"<DualDialogue>{''.join(speeches)}</DualDialogue>")
    assert parse(dual, paragraph("Action", "Rain.")) == (
        Cue("DOT"), Dialogue("One."), Cue("BEA"), Dialogue("Two."), Action("Rain."),
    )  # fmt: skip


@pytest.mark.parametrize(
    "cue", ["DOT LEE (V.O.)", "DOT  LEE (V.O.) (CONT'D)", "DOT LEE (on (old) phone):", "DOT LEE ^"]
)
def test_an_extension_is_no_part_of_the_name(cue: str) -> None:
    assert parse(paragraph("Character", cue)) == (Cue("DOT LEE"),)


def test_lyrics_and_types_of_the_writers_own_belong_to_the_speech() -> None:
    own = paragraph("Whispered", "Psst.")
    lyrics = paragraph("Lyrics", "La la.")
    assert parse(own, paragraph("Character", "DOT"), own, lyrics, own) == (
        Action("Psst."), Cue("DOT"), Dialogue("Psst."), Lyric("La la."), Dialogue("Psst."),
    )  # fmt: skip


def test_notes_are_notes() -> None:
    note = f"<ScriptNote>{paragraph('', 'Why?')}</ScriptNote>"
    text = f'<Paragraph Type="Dialogue"><Text>Oh.</Text>{note}</Paragraph>'
    assert parse(paragraph("Character", "DOT"), text) == (
        Cue("DOT"),
        Dialogue("Oh."),
        Note("Why?"),
    )


def test_a_namespace_makes_no_difference() -> None:
    speech = paragraph("Character", "DOT") + paragraph("Dialogue", "Oh.")
    assert parse(speech, root='FinalDraft xmlns="urn:fdx"') == (Cue("DOT"), Dialogue("Oh."))
    marked = speech.replace("<P", "<f:P").replace("</P", "</f:P")
    marked = marked.replace("<T", "<f:T").replace("</T", "</f:T")
    root = 'f:FinalDraft xmlns:f="urn:fdx"'
    assert parse(marked, root=root, prefix="f:") == (Cue("DOT"), Dialogue("Oh."))


def test_a_declared_encoding_is_that_of_the_bytes_not_of_the_text() -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?>\n<FinalDraft><Content>'
    text += paragraph("Action", "É") + "</Content></FinalDraft>"
    assert parse_fdx(text).elements == (Action("É"),)


def test_a_deeply_nested_file_is_read() -> None:
    depth = 20_000
    dual = "<DualDialogue>" * depth + paragraph("Action", "Rain.") + "</DualDialogue>" * depth
    assert parse(dual) == (Action("Rain."),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DOT: No.", "no Final Draft file"),
        ("<FinalDraft><a>", "damaged"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><FinalDraft>&b;</FinalDraft>', "damaged"),
    ],
)
def test_other_files_are_refused(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse_fdx(text)
