from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.episode import Reading
from data_prep.examples.cleaning import clean_speeches
from data_prep.line_counts import count_lines
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile
from nothing_gpt.errors import UserError
from nothing_gpt.show import load_show
from tests.data_prep.samples import CORPUS

Piece = tuple[int, int, str]
"""Text at a place of a page, in points from its left and its top."""

FIRST = [
    (540, 40, "1."), (108, 72, "INT. OFFICE - DAY"), (108, 96, "Ann looks up. BOB waits."),
    (266, 120, "ANN"), (223, 132, "(quietly)"), (180, 144, "Where is the key? I had it"),
    (180, 156, "a moment ago. In"), (180, 168, "1999."),
    (266, 192, "BOB (V.O.)"), (180, 204, "No."), (266, 216, "(MORE)"), (266, 264, "CARL"),
]  # fmt: skip
SECOND = [
    (540, 40, "2."), (266, 72, "BOB (CONT'D)"), (180, 84, "Never."), (430, 108, "CUT TO:"),
    (72, 132, "12"), (108, 132, "EXT. PIER - NIGHT"), (540, 132, "12"), (266, 156, "ANN"),
    (180, 168, "Oh."),
]  # fmt: skip


def make_pdf(*pages: list[Piece]) -> bytes:
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
    ]
    for number, page in enumerate(pages):
        shown = "".join(
            f"1 0 0 1 {left} {792 - top} Tm ({text.translate(ESCAPED)}) Tj\n"
            for left, top, text in page
        )
        stream = f"BT /F1 12 Tf\n{shown}ET"
        objects += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792]"
            f" /Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
    body = "".join(f"{number} 0 obj\n{text}\nendobj\n" for number, text in enumerate(objects, 1))
    return f"%PDF-1.4\n{body}trailer << /Root 1 0 R /Size {len(objects) + 1} >>\n%%EOF".encode()


ESCAPED = str.maketrans({mark: f"\\{mark}" for mark in "()\\"})


def read(data: bytes) -> Reading:
    return read_sources([SourceFile("pier.pdf", data)], CORPUS)


def test_a_screenplay_is_read_by_the_places_of_its_lines() -> None:
    reading = read(make_pdf(FIRST, SECOND))
    assert [(s.character, s.dialogue, s.setting) for s in reading.speeches] == [
        ("ANN", "Where is the key? I had it a moment ago. In 1999.", "INT. OFFICE - DAY"),
        ("BOB", "No.", "INT. OFFICE - DAY"),
        ("BOB", "Never.", "INT. OFFICE - DAY"),
        ("ANN", "Oh.", "EXT. PIER - NIGHT"),
    ]
    assert reading.left_out["page number, time or other mark"] == {"1.": 1, "(MORE)": 1, "2.": 1}
    assert [(miss.line, miss.text) for miss in reading.near_misses] == [(12, "CARL")]
    counts = count_lines(reading, clean_speeches(reading.speeches, load_show("unclaimed")))
    assert counts.read == len(FIRST) + len(SECOND) - 2


def test_a_transcript_in_pdf_is_read_too() -> None:
    lines = ["Ann: Hi.", "Bob: Hi", "to you.", "Ann: Oh."]
    page = [(72, 72 + 14 * number, line) for number, line in enumerate(lines)]
    assert [s.dialogue for s in read(make_pdf(page)).speeches] == ["Hi.", "Hi to you.", "Oh."]


def test_a_page_without_text_is_refused() -> None:
    with pytest.raises(UserError, match=r"pier\.pdf: no text in this PDF; if it is a scan"):
        read(make_pdf([]))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_damaged_pdf_is_read_or_refused(data: st.DataObject) -> None:
    whole = make_pdf(FIRST, SECOND)
    start = data.draw(st.integers(8, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    damaged = whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:]
    with suppress(UserError):
        read(damaged)
