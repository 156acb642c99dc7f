import pytest

from script_formats.markup import (
    protect_brackets,
    protect_scene_number,
    protect_start,
    remove_emphasis,
    remove_protection,
)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Not *here*, **not** there, ***never***.", "Not here, not there, never."),
        ("Never _was_, *_both_*.", "Never was, both."),
        ("2 * 3 is six and snake_case is one_word", "2 * 3 is six and snake_case is one_word"),
        (r"I had 2 \*stars\* on \_it\_.", "I had 2 *stars* on _it_."),
        ("* alone", "* alone"),
    ],
)
def test_emphasis_is_removed_and_lone_marks_stay(text: str, plain: str) -> None:
    assert remove_emphasis(text) == plain


@pytest.mark.parametrize("text", ["[[0]] a /* b */", "INT. what?", "one #1#", "#"])
def test_protection_can_be_removed(text: str) -> None:
    for protect in (protect_brackets, protect_scene_number, protect_start):
        assert remove_protection(protect(text)) == text
    assert "[[" not in protect_brackets(text)
