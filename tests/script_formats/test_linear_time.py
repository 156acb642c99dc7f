"""Texts on which anything that takes more than linear time would take hours."""

from contextlib import suppress
from dataclasses import replace

import pytest

from data_prep.examples.cleaning import clean_speeches
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile
from demo.formats import import_scene
from nothing_gpt.errors import UserError
from nothing_gpt.show import load_show
from script_formats.markup import remove_emphasis
from tests.data_prep.samples import CORPUS

SIZE = 30_000
SHOW = load_show("unclaimed")

PIECES = [
    " ", "(", ")", "[[", "/*", "*a ", "_a ", "\n(", "\n\n(", "#", "a:", "[[a\n", "DOT\n", "=\n",
    "[[]]\n", "~a\n", "DOT (", "(a\n", "(a)\n", "A: ", "\t\n", "@", "***a", "*_", "= a\n", "===\n",
    "\n.", "<", "&", "DOT (a) ",
]  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", PIECES)
def test_a_long_text_of_any_piece_is_read(piece: str) -> None:
    remove_emphasis(piece * SIZE)
    for start in ("", "DOT\n", "Title: "):
        text = f"{start}{piece * SIZE}x\n\nDOT\nOh.\n"
        import_scene("fountain", text)
        reading = read_sources([SourceFile("a.fountain", text.encode())], CORPUS)
        clean_speeches(reading.speeches, SHOW)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", PIECES)
def test_a_long_final_draft_file_of_any_piece_is_read_or_refused(piece: str) -> None:
    words = piece.replace("&", "&amp;").replace("<", "&lt;") * SIZE
    rain = '<Paragraph Type="Action"><Text>Rain.</Text></Paragraph>'
    for kind in ("Character", "Parenthetical", "Dialogue", "Action", "Own"):
        paragraph = f'<Paragraph Type="{kind}"><Text>{words}x</Text></Paragraph>'
        import_scene("fdx", f"<FinalDraft><Content>{paragraph}{rain}</Content></FinalDraft>")
    for markup in ("<DualDialogue>", "<Paragraph>", "<?xml ", "<a:", "<!--", "<!DOCTYPE "):
        with pytest.raises(UserError, match="damaged"):
            import_scene("fdx", f"<FinalDraft><Content>{markup * SIZE}{words}")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", [" ", "(", "#", "a:", "[DOT] ", "DOT: ", '"', '",', "{", '{"a":']
)
def test_other_long_files_of_any_piece_are_read_or_refused(piece: str) -> None:
    text = f"{piece * SIZE}x\nDOT: Oh.\n"
    import_scene("txt", text)
    with pytest.raises(UserError):
        import_scene("json", text)
    with suppress(UserError):
        table = f"character,dialogue\n{text}".encode()
        read_sources([SourceFile("a.csv", table)], replace(CORPUS, kind="table"))
