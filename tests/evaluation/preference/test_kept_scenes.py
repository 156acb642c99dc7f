import pytest

from evaluation.preference.kept_scenes import REAL, KeptScenes, read_kept_scenes
from evaluation.preference.pair import plan_pairs
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line
from nothing_gpt.votes.vote import Writer
from tests.evaluation.conftest import Kept


def read(kept: Kept, *names: str) -> list[KeptScenes]:
    return read_kept_scenes(kept.show, names, kept.workspace)


def test_runs_are_found_by_their_model_or_their_folder(kept: Kept) -> None:
    kept.keep_run("one")
    kept.keep_run("two", run="two-a", samples=2)
    kept.keep_run("two", run="two-b")
    one, two = read(kept, "one", "two-a")
    assert one.describe_writer((3, 1)) == Writer("one", 100_003)
    assert (two.label, two.model, len(two.written)) == ("two-a", "two", 2 * len(kept.windows))
    with pytest.raises(UserError, match="'two' has several runs; say two-a or two-b"):
        read(kept, "one", "two")
    with pytest.raises(UserError, match=r"'three' has no kept scenes.*of: one, two.*--model"):
        read(kept, "one", "three")


def test_scenes_of_other_windows_are_refused(kept: Kept) -> None:
    kept.keep_run("one", windows="others")
    with pytest.raises(UserError, match="other held-out windows"):
        read(kept, "one", REAL)


@pytest.mark.parametrize(
    ("names", "message"), [(["one", "one"], "different models"), ([REAL], "name a model too")]
)
def test_there_must_be_two_to_compare(kept: Kept, names: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(kept, *names)


def test_pairs_are_of_equal_length_and_each_window_comes_once_before_one_comes_again(
    kept: Kept,
) -> None:
    for model in ("one", "two"):
        kept.keep_run(model, samples=2)
    found = read(kept, "one", "two", REAL)
    pairs = plan_pairs(found)
    count = len(kept.windows)
    assert len({pair.context for pair in pairs[:count]}) == count
    # Both samples of two models, and one of each beside the real scenes.
    assert len(pairs) == 2 * count + 2 * count
    assert len({pair.id for pair in pairs}) == len(pairs)
    for first, second in (pair.sides for pair in pairs):
        assert len(first.lines) == len(second.lines)
        assert first.label != second.label
    shown = [pair.sides[0].label for pair in pairs]
    assert all(0.2 < shown.count(label) / len(shown) < 0.5 for label in ("one", "two"))
    turned = plan_pairs(read(kept, "two", "one", REAL))
    assert {pair.id: pair.sides for pair in turned} == {pair.id: pair.sides for pair in pairs}


def test_equal_and_empty_continuations_are_no_pair(kept: Kept) -> None:
    lines = (Line("DOT", "No."),)
    written = {(at, 0): lines if at else () for at in range(3)}
    both = [KeptScenes(x, x, kept.windows, "script", {}, written) for x in ("a", "b")]
    assert plan_pairs(both) == []
