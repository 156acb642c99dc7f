import pytest

from train.trainer.progress_bar import show_progress


def test_a_log_gets_the_last_step_with_its_note(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress("training", 10, done=7) as advance:
        for step in (8, 9, 10):
            advance(f"loss {step}")
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "training: 10/10, 0 s left, loss 10"
