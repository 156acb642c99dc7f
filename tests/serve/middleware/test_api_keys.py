from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nothing_gpt.errors import UserError
from serve.middleware.api_keys import FILE, KEY, ApiKey, KeyUsage, find_key, read_keys

TEXTS = st.text(alphabet="abc-_ ", min_size=1, max_size=8).filter(lambda text: bool(text.strip()))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_keys_come_from_the_variable_and_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('[ana]\nkey = "a"\nrequests_per_minute = 2\n[bo]\nkey = "b"\n')
    keys = read_keys({KEY: "x, y,", FILE: str(path)})
    assert [(key.name, key.key) for key in keys] == [
        ("key 1", "x"),
        ("key 2", "y"),
        ("ana", "a"),
        ("bo", "b"),
    ]
    assert keys[2].requests_per_minute == 2
    assert keys[2].tokens_per_minute is None
    assert read_keys({}) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[ana]\nkey = "a"\ncolour = 1\n', "colour"),
        ("[ana]\n", "key"),
        ("ana = 1\n", "[ana]"),
        ('[ana]\nkey = "a"\ntokens_per_minute = 0\n', "tokens_per_minute"),
        ('[ana]\nkey = "a"\ntokens_per_minute = true\n', "tokens_per_minute"),
        ('[ana]\nkey = "a"\n[bo]\nkey = "a"\n', "twice"),
        ("[ana\n", "keys.toml"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_fault(
    tmp_path: Path, text: str, named: str
) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_keys({FILE: str(path)})
    assert named in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="NOTHING_GPT_KEYS"):
        read_keys({FILE: str(tmp_path / "none.toml")})


def test_no_key_is_shown() -> None:
    assert "hush" not in repr(ApiKey("ana", "hush"))


@given(st.lists(TEXTS, unique_by=str.strip, max_size=5), TEXTS)
def test_a_key_opens_as_itself_and_nothing_else(secrets: list[str], other: str) -> None:
    holders = [KeyUsage(ApiKey(f"n{at}", secret.strip())) for at, secret in enumerate(secrets)]
    for holder, secret in zip(holders, secrets, strict=True):
        assert find_key(holders, f"Bearer {secret}".encode()) is holder
        assert find_key(holders, f"Basic {secret}".encode()) is None
    if other.strip() not in {secret.strip() for secret in secrets}:
        assert find_key(holders, f"bearer {other}".encode()) is None


def test_requests_are_let_in_as_the_minute_goes_on() -> None:
    clock = Clock()
    holder = KeyUsage(ApiKey("ana", "a", requests_per_minute=3), clock)
    assert [holder.enter() for _ in range(3)] == [0, 0, 0]
    assert holder.enter() == pytest.approx(20)
    clock.now = 19.9
    assert holder.enter()
    clock.now = 20.1
    assert not holder.enter()
    assert holder.enter()


def test_a_debt_of_tokens_is_paid_before_the_next_request() -> None:
    clock = Clock()
    holder = KeyUsage(ApiKey("ana", "a", tokens_per_minute=60), clock)
    assert not holder.enter()
    holder.charge(90)
    assert holder.enter() == pytest.approx(31)
    clock.now = 31.1
    assert not holder.enter()


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=80),
)
def test_no_minute_holds_more_than_twice_the_limit(
    limit: int, steps: list[tuple[float, bool]]
) -> None:
    clock = Clock()
    holder = KeyUsage(ApiKey("ana", "a", requests_per_minute=limit), clock)
    let_in: list[float] = []
    for pause, burst in steps:
        clock.now += pause
        tries = limit if burst else 1
        let_in += [clock.now for _ in range(tries) if not holder.enter()]
    for begun in let_in:
        assert sum(begun <= at < begun + 60 for at in let_in) <= 2 * limit


def test_who_has_no_limits_is_never_kept_waiting() -> None:
    holder = KeyUsage(ApiKey("ana", "a"))
    holder.charge(10**9)
    assert not any(holder.enter() for _ in range(1000))
