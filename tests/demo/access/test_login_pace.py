"""The pace of logins, with a clock of the test's own."""

from demo.access.login_pace import LONGEST_PAUSE, LoginPace


def count_tries(pace: LoginPace, visitor: str, seconds: float) -> int:
    """Count how many wrong passwords a visitor can try who asks ten times a second."""
    tries = 0
    for tenth in range(int(seconds * 10)):
        if not pace.admit(visitor, tenth / 10):
            tries += 1
            pace.record(visitor, right=False)
    return tries


def test_an_hour_of_guessing_has_few_guesses_and_others_do_not_wait() -> None:
    pace = LoginPace()
    assert count_tries(pace, "a", 3600) <= 3600 / LONGEST_PAUSE + 6
    assert pace.wrong > 400
    assert pace.admit("b", 3600) == 0


def test_many_tries_at_once_are_one() -> None:
    pace = LoginPace()
    assert [pace.admit("a", 0) > 0 for _ in range(5)] == [False, True, True, True, True]


def test_who_knows_the_password_waits_no_more() -> None:
    pace = LoginPace()
    count_tries(pace, "a", 60)
    while wait := pace.admit("a", 60):
        assert wait <= LONGEST_PAUSE
        break
    pace.record("a", right=True)
    assert pace.admit("a", 60) == 0


def test_visitors_who_left_are_forgotten() -> None:
    pace = LoginPace()
    for number in range(30_000):
        pace.admit(str(number), 0)
        pace.record(str(number), right=False)
    assert len(pace._visitors) <= 10_001
