"""Runs that go wrong, on the real training path."""

from dataclasses import replace
from pathlib import Path

import pytest

from nothing_gpt.adapter.manifest import read_manifest
from nothing_gpt.errors import UserError
from nothing_gpt.files import read_json
from tests.train.conftest import BRIEF
from train.config.run import Run
from train.finetuning import finetune
from train.trainer.best_adapter import HeldOutScore, find_best, save_adapter, save_best
from train.trainer.checkpoints import find_latest

# So fast that it learns by leaps: some evaluations are worse than those before them.
WILD = replace(BRIEF, learning_rate=0.1, warmup_steps=0, max_steps=12, eval_interval=1)


def test_a_run_that_gets_worse_stops_and_leaves_its_best_and_its_last(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = finetune(replace(run, config=replace(WILD, patience=1)))
    history = read_json(folder / "history.json")
    losses = {e["step"]: e["eval_loss"] for e in history if "eval_loss" in e}
    del losses[0]
    best = min(losses, key=lambda step: float(losses[step]))
    assert max(losses) == best + 1 < 12
    manifest = read_manifest(folder)
    assert manifest.checkpoint == "best"
    assert manifest.metrics["adapter_step"] == best
    assert manifest.metrics["eval_loss"] == losses[best]
    assert manifest.metrics["last_eval_loss"] == losses[max(losses)]
    weights = "adapter_model.safetensors"
    assert (folder / weights).read_bytes() != (folder / "last" / weights).read_bytes()
    output = capsys.readouterr().out
    assert f"step {best + 1}: evaluations without gain: 1; stopping" in output
    assert f"after {best} steps, the best of {best + 1}" in output
    assert "lies in `last/`" in (folder / "report.md").read_text()


def test_evaluations_and_scenes_that_would_take_too_long_are_left_out(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = finetune(replace(run, config=replace(BRIEF, eval_interval=1, eval_share=0.1)))
    history = read_json(folder / "history.json")
    assert [e["step"] for e in history if "eval_loss" in e] == [0, 3, 6]
    assert [e["step"] for e in history if "scenes" in e] == [0, 6]
    assert "evaluations every 3 steps instead of 1" in capsys.readouterr().out


def test_a_run_that_breaks_down_leaves_everything_as_it_was(run: Run) -> None:
    adapter = run.adapter
    adapter.mkdir(parents=True)
    (adapter / "kept").touch()
    with pytest.raises(UserError, match=r"nan at step \d+ \(looked at every 1\)") as caught:
        finetune(replace(run, config=replace(WILD, learning_rate=1000.0), fresh=True))
    good, _ = find_latest(run.checkpoints)
    assert f"the last good checkpoint is {good}," in str(caught.value)
    assert "Try a learning rate below 1000," in str(caught.value)
    assert [path.name for path in adapter.iterdir()] == ["kept"]


class Weights:
    """A fake PEFT model that can only be saved."""

    def __init__(self, text: str) -> None:
        self._text = text

    def save_pretrained(self, folder: str) -> None:
        Path(folder).mkdir(exist_ok=True)
        (Path(folder) / "weights").write_text(self._text)


@pytest.mark.parametrize(
    ("losses", "chosen", "text"),
    [
        ((2.0, 1.5, 1.4), "last", "3"),
        ((2.0, 1.5, 1.7), "best", "2"),
        ((2.0, 1.5, 1.5), "last", "3"),
        ((2.0,), "last", "1"),
    ],
)
def test_the_better_of_best_and_last_becomes_the_adapter(
    losses: tuple[float, ...], chosen: str, text: str, tmp_path: Path
) -> None:
    folder = tmp_path / "adapter"
    folder.mkdir()
    scores = [HeldOutScore(step, loss) for step, loss in enumerate(losses, 1)]
    for score in scores:
        save_best(Weights(str(score.step)), score, tmp_path)  # type: ignore[arg-type]
    assert find_best(tmp_path) == min(scores, key=lambda score: (score.loss, score.step))
    last = Weights(str(len(losses)))
    assert save_adapter(last, scores[-1], tmp_path, folder) == chosen  # type: ignore[arg-type]
    assert (folder / "weights").read_text() == text
    below = folder / "last" / "weights"
    assert below.exists() == (chosen == "best")
    assert {path.name for path in folder.iterdir()} <= {"weights", "last"}
