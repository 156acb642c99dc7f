import pytest

from evaluation.output.picture import draw_scorecard
from evaluation.output.table import print_scorecard, render_markdown
from evaluation.scorecard import Estimate, Scorecard, ScoredRow

PARSED = ScoredRow(
    name="lines that parse (raw)",
    form=".1%",
    values=(Estimate(1.0, 1.0, 1.0), Estimate(0.912, 0.834, 0.956)),
    ceiling=Estimate(1.0, 1.0, 1.0),
    floor=Estimate(0.0, 0.0, 0.0),
    floor_is="no brackets",
    passed=(True, False),
    verdict="unclaimed is better",
)
VOICE = ScoredRow(
    name="voice",
    form=".3f",
    values=(Estimate(0.412, 0.365, 0.441), Estimate(None)),
    ceiling=Estimate(0.605),
    floor=Estimate(0.367, 0.332, 0.398),
    floor_is="shuffled speakers",
    measurable=False,
    verdict="not measurable for this show",
)
CARD = Scorecard(
    show="unclaimed",
    models=("unclaimed", "SmolLM2-135M-Q4_1"),
    sampling=("temperature 0.8", "temperature 0.7"),
    windows=12,
    episodes=4,
    scenes=24,
    rows=(PARSED, VOICE),
    details=(),
    notes=("24 scenes of each model instead of 300",),
)


@pytest.mark.parametrize("columns", ["80", "120", ""])
def test_a_narrow_terminal_loses_no_figure(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    else:
        monkeypatch.delenv("COLUMNS", raising=False)
    print_scorecard(CARD)
    printed = capsys.readouterr().out
    for text in ("91.2%", "83.4%", "95.6%", "0.412", "0.605", "0.367", "0.332", "FAIL", "better"):
        assert text in printed
    assert "\u2026" not in printed
    assert max(map(len, printed.splitlines())) <= int(columns or 200)


def test_markdown_has_a_row_each() -> None:
    rows = [line for line in render_markdown(CARD).splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert len({line.count("|") for line in rows}) == 1
    assert "unclaimed: pass, SmolLM2-135M-Q4_1: FAIL" in rows[2]
    assert "not measurable" in rows[3]


def test_a_row_with_a_missing_value_is_drawn() -> None:
    assert draw_scorecard(CARD).startswith(b"\x89PNG")
