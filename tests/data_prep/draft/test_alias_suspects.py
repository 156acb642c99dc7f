import pytest

from data_prep.draft.alias_suspects import find_suspects


@pytest.mark.parametrize(
    ("name", "other", "lines", "suspected"),
    [
        ("JERRY", "JERRY SEINFELD", 50, True),
        ("JERRY SEINFELD", "JERRY", 50, True),
        ("MR. PIKE", "PIKE", 50, True),
        ("MR. PIKE", "MR PIKE", 50, True),
        ("MR. PIKE", "MRS. PIKE", 50, False),
        ("KRAMER", "KRAMMER", 5, True),
        ("KRAMER", "KRAMMER", 50, False),
        ("GUARD", "GUARD #2", 5, False),
        ("GUARD #1", "GUARD #2", 5, False),
        ("ANN", "ANN'S FRIEND", 5, False),
        ("ANN", "DAN", 5, False),
        ("ANN", "BOB", 5, False),
        ("ANN", "ANN LEE", 150, False),
    ],
)
def test_names_that_may_be_one_person_are_suspected(
    name: str, other: str, lines: int, *, suspected: bool
) -> None:
    assert (find_suspects(name, {name: 100, other: lines}) == [other]) is suspected
