import pytest

from demo.scene.parsing import read_entries, read_entry, read_name, read_names
from demo.scene.scene import Entry
from nothing_gpt.errors import UserError


@pytest.mark.parametrize(
    ("speaker", "text", "entries"),
    [
        ("DOT", "  No.\n Never. ", [Entry("No. Never.", "DOT")]),
        ("aunt ruth", "Well.", [Entry("Well.", "AUNT RUTH")]),
        (None, "He leaves.", [Entry("He leaves.")]),
        ("DOT", "[BEA] Why?\n[DOT] No.", [Entry("Why?", "BEA"), Entry("No.", "DOT")]),
        ("DOT", "[BEA] Why?\nNo.", [Entry("[BEA] Why? No.", "DOT")]),
        ("DOT", "FELIX: Why?\n\nBEA: No.", [Entry("Why?", "FELIX"), Entry("No.", "BEA")]),
        ("DOT", "FELIX: Why?", [Entry("Why?", "FELIX")]),
        ("DOT", "NOTE: shut the door.", [Entry("NOTE: shut the door.", "DOT")]),
        (
            "DOT",
            "FELIX\nWhy?\nNow?\n\nBEA\nNo.",
            [Entry("Why? Now?", "FELIX"), Entry("No.", "BEA")],
        ),
        ("DOT", "No.\nFELIX\nWhy?", [Entry("No. FELIX Why?", "DOT")]),
        ("DOT", "Why?\nFELIX", [Entry("Why? FELIX", "DOT")]),
        ("DOT", "NO\nWAY", [Entry("NO WAY", "DOT")]),
    ],
)
def test_what_people_write(speaker: str | None, text: str, entries: list[Entry]) -> None:
    assert list(read_entries(speaker, text, ("DOT", "FELIX"))) == entries


def test_an_edited_line_may_hold_brackets() -> None:
    assert read_entry("DOT", "[BEA] is my name.") == Entry("[BEA] is my name.", "DOT")


def test_a_line_needs_a_speaker_by_name() -> None:
    with pytest.raises(UserError, match="choose who speaks"):
        read_entries("", "No.", ())


@pytest.mark.parametrize("name", ["<script>", "1ST", "A" * 26, "A,B", "[DOT]", "(DOT)"])
def test_what_cannot_be_a_name_is_refused_and_named(name: str) -> None:
    with pytest.raises(UserError, match="cannot be a character's name"):
        read_name(name)


def test_guests_are_set_apart_by_commas() -> None:
    assert read_names(" ruth, An  Inspector ,,ruth") == ("RUTH", "AN INSPECTOR")
    assert read_names("") == ()


@pytest.mark.parametrize("text", ["", "  \n "])
def test_a_line_without_words_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="no words"):
        read_entries("DOT", text, ())
