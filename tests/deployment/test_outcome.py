import pytest

from deployment.outcome import Outcome, attempt, report
from nothing_gpt.errors import UserError


def test_all_outcomes_are_told_and_failures_named(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> str:
        raise UserError("no such thing")

    outcomes = [
        attempt("one", lambda: "done"),
        attempt("two", refuse),
        Outcome.of_crash("three", RuntimeError("first line\nlast line")),
    ]
    with pytest.raises(UserError, match="failed: two, three; a rerun does only what is missing"):
        report(outcomes)
    printed = capsys.readouterr()
    assert printed.out == "one: done\n"
    assert printed.err == "two: error: no such thing\nthree: error: RuntimeError: last line\n"


def test_a_crash_without_a_message_is_named() -> None:
    assert Outcome.of_crash("tiny", RuntimeError()).text == "RuntimeError: no message"


def test_only_user_errors_become_outcomes() -> None:
    def crash() -> str:
        raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        attempt("tiny", crash)
