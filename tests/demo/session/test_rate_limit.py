from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.session.rate_limit import RateLimiter, RateLimits
from nothing_gpt.errors import UserError


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 400), st.floats(0, 1)), max_size=40))
def test_nobody_gets_more_than_the_allowance_and_what_refilled(
    requests: list[tuple[float, int, float]],
) -> None:
    limits, now, written = RateLimits(0, 0, 300), 0.0, 0.0
    limiter = RateLimiter(limits)
    for pause, tokens, share in requests:
        now += pause
        try:
            limiter.reserve("a", tokens, now)
        except UserError:
            continue
        used = int(tokens * share)
        written += used
        limiter.settle("a", tokens, used, now)
        assert written <= 300 + now * 300 / 60 + 1e-6


def test_visitors_do_not_pay_for_each_other_and_the_wait_is_told() -> None:
    limiter = RateLimiter(RateLimits(0, 0, 60))
    limiter.reserve("a", 60, 0)
    with pytest.raises(UserError, match="wait 31 s"):
        limiter.reserve("a", 30, 0)
    limiter.reserve("b", 60, 0)
    limiter.reserve("a", 30, 30)


def test_without_limits_nothing_is_limited() -> None:
    limiter = RateLimiter(RateLimits())
    for _ in range(100):
        limiter.reserve("a", 10**9, 0)
    assert limiter.limits.cap(10**9) == 10**9


def test_a_request_never_asks_for_more_than_could_ever_be_allowed() -> None:
    assert RateLimits(0, 500, 300).cap(1000) == 300
    assert RateLimits(0, 500, 0).cap(1000) == 500
    assert RateLimits(0, 500, 0).cap(40) == 40


def test_visitors_who_left_are_forgotten() -> None:
    limiter = RateLimiter(RateLimits(0, 0, 60))
    for number in range(30_000):
        limiter.reserve(str(number), 60, float(number))
    assert len(limiter._allowances) <= 10_001


@pytest.mark.parametrize("name", [limit.name for limit in fields(RateLimits)])
def test_a_limit_below_nothing_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=name.replace("_", "-")):
        RateLimits(**{name: -1})


def test_one_visitor_has_so_many_continuations_at_once() -> None:
    limiter = RateLimiter(RateLimits(requests_at_once=4))
    with limiter.reserved("a", [10] * 3):
        with pytest.raises(UserError, match="at most 4 continuations at once"):
            limiter.reserved("a", [10] * 2).__enter__()
        with limiter.reserved("a", [10]), limiter.reserved("b", [10] * 4):
            pass
    with limiter.reserved("a", [10] * 4):
        pass
    assert not limiter._running
