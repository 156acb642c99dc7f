import pytest

from evaluation.resources.show_resources import ShowResources, find_leads, learn_show
from evaluation.resources.voice_model import mask_names
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line


def turns(**counts: int) -> list[Line]:
    return [Line(name, "Yes.") for name, count in counts.items() for _ in range(count)]


@pytest.mark.parametrize(
    ("counts", "leads"),
    [
        ({"A": 90, "B": 80, "C": 70, "D": 6, "E": 5}, "ABC"),
        ({"A": 90, "B": 80}, "AB"),
        ({"A": 90, "B": 5, "C": 4}, "ABC"),
        (dict(zip("ABCDEFGHIJK", range(99, 88, -1), strict=True)), None),
    ],
)
def test_leads_are_those_before_the_largest_drop(
    counts: dict[str, int], leads: str | None
) -> None:
    found = "".join(find_leads(turns(**counts)))
    assert found == leads if leads else 2 <= len(found) <= 8


def test_the_bundled_show_has_six_leads(known: ShowResources) -> None:
    assert set(known.leads) == {"DOT", "FELIX", "JUNE", "BEA", "MR. PIKE", "WALLY"}


def test_a_monologue_is_refused() -> None:
    with pytest.raises(UserError, match="no two speakers"):
        learn_show([turns(A=30)], [])


def test_names_are_masked_as_whole_words() -> None:
    assert mask_names("Dot, the dots! DOT's?", {"dot"}) == "NAME, the dots! NAME's?"
