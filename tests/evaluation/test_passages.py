import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.passages import Key, Window, Written, cut_to_equal_length
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line, MalformedLine

LINE = Line("DOT", "It does seem to be.")
WINDOWS = [Window(f"E{at}", (), (LINE,), (LINE,) * 6) for at in range(3)]
KEYS = st.tuples(st.integers(0, 2), st.integers(0, 2))
SCENES = st.dictionaries(
    KEYS, st.lists(st.sampled_from([LINE, MalformedLine("and so on")]), max_size=9), min_size=1
)


@settings(deadline=None)
@given(st.lists(SCENES, min_size=1, max_size=2))
def test_everybody_keeps_as_many_lines_as_the_shortest(
    models: list[dict[Key, list[Written]]],
) -> None:
    try:
        groups = cut_to_equal_length(WINDOWS, models)
    except UserError:
        groups = [[]] * (len(models) + 1)
    assert len(groups) == len(models) + 1
    for number, passages in enumerate(zip(*groups, strict=True)):
        key = sorted(set.intersection(*(set(model) for model in models)))[number]
        counts = [sum(isinstance(x, Line) for x in model[key]) for model in models]
        assert {len(passage.lines) for passage in passages} == {min(*counts, 6)}
        assert [list(p.written) for p in passages[:-1]] == [model[key] for model in models]


def test_scenes_without_a_line_are_refused() -> None:
    with pytest.raises(UserError, match="no scene has a script line"):
        cut_to_equal_length(WINDOWS, [{(0, 0): [MalformedLine("and so on")]}])
