from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nothing_gpt.errors import UserError
from serve.middleware.keys.api_keys import (
    KEY_FILE_VARIABLE,
    KEYS_VARIABLE,
    ApiKey,
    KeyUsage,
    find_key,
    read_keys,
)

TEXTS = st.text(alphabet="abc-_ ", min_size=1, max_size=8).filter(lambda text: bool(text.strip()))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_keys_come_from_the_variable_and_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('[ana]\nkey = "a"\nrequests_per_minute = 2\n[bo]\nkey = "b"\n')
    keys = read_keys({KEYS_VARIABLE: "x, y,", KEY_FILE_VARIABLE: str(path)})
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
        read_keys({KEY_FILE_VARIABLE: str(path)})
    assert named in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="NOTHING_GPT_KEYS"):
        read_keys({KEY_FILE_VARIABLE: str(tmp_path / "none.toml")})


@pytest.mark.parametrize("variable", [KEYS_VARIABLE, KEY_FILE_VARIABLE])
@pytest.mark.parametrize("value", ["", " ", ",", " , ,\t"])
def test_a_variable_that_is_set_and_has_no_key_does_not_open_the_server(
    variable: str, value: str
) -> None:
    with pytest.raises(UserError, match=variable):
        read_keys({variable: value})


@pytest.mark.parametrize("text", ["", "# [ana]\n", "\n"])
def test_a_file_without_a_key_does_not_open_the_server(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    for more in ({}, {KEYS_VARIABLE: "a"}):
        with pytest.raises(UserError, match=r"keys\.toml"):
            read_keys({KEY_FILE_VARIABLE: str(path), **more})


def test_no_key_is_shown() -> None:
    assert "hush" not in repr(ApiKey("ana", "hush"))


@given(st.lists(TEXTS, unique_by=str.strip, max_size=5), TEXTS)
def test_a_key_opens_as_itself_and_nothing_else(secrets: list[str], other: str) -> None:
    usages = [KeyUsage(ApiKey(f"n{at}", secret.strip())) for at, secret in enumerate(secrets)]
    for usage, secret in zip(usages, secrets, strict=True):
        assert find_key(usages, f"Bearer {secret}".encode()) is usage
        assert find_key(usages, f"Basic {secret}".encode()) is None
    if other.strip() not in {secret.strip() for secret in secrets}:
        assert find_key(usages, f"bearer {other}".encode()) is None


def test_requests_are_let_in_as_the_minute_goes_on() -> None:
    clock = Clock()
    usage = KeyUsage(ApiKey("ana", "a", requests_per_minute=3), clock)
    assert [usage.start_request() for _ in range(3)] == [0, 0, 0]
    assert usage.start_request() == pytest.approx(20)
    clock.now = 19.9
    assert usage.start_request()
    clock.now = 20.1
    assert not usage.start_request()
    assert usage.start_request()


def test_a_debt_of_tokens_is_paid_before_the_next_request() -> None:
    clock = Clock()
    usage = KeyUsage(ApiKey("ana", "a", tokens_per_minute=60), clock)
    assert not usage.start_request()
    usage.charge(90)
    assert usage.start_request() == pytest.approx(31)
    clock.now = 31.1
    assert not usage.start_request()


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=80),
)
def test_no_minute_holds_more_than_twice_the_limit(
    limit: int, steps: list[tuple[float, bool]]
) -> None:
    clock = Clock()
    usage = KeyUsage(ApiKey("ana", "a", requests_per_minute=limit), clock)
    let_in: list[float] = []
    for pause, burst in steps:
        clock.now += pause
        tries = limit if burst else 1
        let_in += [clock.now for _ in range(tries) if not usage.start_request()]
    for start in let_in:
        assert sum(start <= at < start + 60 for at in let_in) <= 2 * limit


def test_who_has_no_limits_is_never_kept_waiting() -> None:
    usage = KeyUsage(ApiKey("ana", "a"))
    usage.charge(10**9)
    assert not any(usage.start_request() for _ in range(1000))
