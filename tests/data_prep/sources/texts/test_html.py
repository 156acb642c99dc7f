from contextlib import suppress

import pytest

from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile
from data_prep.sources.texts.html import extract_lines
from nothing_gpt.errors import UserError
from tests.data_prep.samples import CORPUS

PAGE = """<!DOCTYPE html>
<html><head><title>Pier</title><style>p {}</style></head><body>
<nav>Home: here</nav><script>Ann: "no"</script>
<h1>The Pier</h1>
<p>[Scene: the pier]</p>
<p><b>Ann:</b> Salt &amp; <i>pepper</i>?<br>Bob: No.</p>
<table><tr><th>Ann</th><td>Oh. </td></tr><tr><td>Bob:<td>Well.</table>
</body></html>"""


def test_a_page_is_read_as_the_transcript_that_it_shows() -> None:
    reading = read_sources([SourceFile("e1.html", PAGE.encode())], CORPUS)
    assert [(s.character, s.dialogue, s.setting) for s in reading.speeches] == [
        ("Ann", "Salt & pepper?", "the pier"),
        ("Bob", "No.", "the pier"),
        ("Ann", "Oh.", "the pier"),
        ("Bob", "Well.", "the pier"),
    ]


def test_a_screenplay_in_a_page_keeps_its_lines() -> None:
    page = (
        "<html><pre>\n<b>INT. PIER - DAY</b>\n\n     ANN\n  Hi,\n  you.\n\n     BOB\n  No.\n</pre>"
    )
    reading = read_sources([SourceFile("e1.htm", page.encode())], CORPUS)
    assert [(s.character, s.dialogue, s.setting) for s in reading.speeches] == [
        ("ANN", "Hi, you.", "INT. PIER - DAY"), ("BOB", "No.", "INT. PIER - DAY"),
    ]  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ["<div>", "<b>", "<!--", "<table><tr><td>", "&amp;", "<a ", "<p>a", "</p>"]
)
def test_a_long_page_of_any_piece_is_read_or_refused(piece: str) -> None:
    with suppress(UserError):
        extract_lines(f"<html>{piece * 20_000}Ann: Hi.")
