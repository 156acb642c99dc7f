"""Keys that are added and revoked while a server runs, and what was used of them."""

import datetime
import json
import logging
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nothing_gpt.errors import UserError
from serve.middleware.keys.api_keys import KEY_FILE_VARIABLE, KEYS_VARIABLE
from serve.middleware.keys.commands import app
from serve.middleware.keys.key_file import add_key, list_keys, revoke_key
from serve.middleware.keys.registry import KeyRegistry


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 2
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def opens(registry: KeyRegistry, key: str) -> bool:
    return registry.find(f"Bearer {key}".encode()) is not None


def test_a_key_opens_a_running_server_until_it_is_revoked(path: Path) -> None:
    first = add_key(path, "ana", {"requests_per_minute": 5})
    registry = KeyRegistry({KEY_FILE_VARIABLE: str(path), KEYS_VARIABLE: "plain"}, clock=Clock())
    second = add_key(path, "bo", {})
    assert opens(registry, first)
    assert opens(registry, second)
    assert not opens(registry, "bo")
    revoke_key(path, "ana")
    assert not opens(registry, first)
    revoke_key(path, "bo")
    assert not opens(registry, second)
    assert opens(registry, "plain")
    assert not registry.is_open


def test_usage_and_limits_outlive_a_change_of_another_key(path: Path) -> None:
    key = add_key(path, "ana", {"requests_per_minute": 1})
    registry = KeyRegistry({KEY_FILE_VARIABLE: str(path)}, clock=Clock())
    usage = registry.find(f"Bearer {key}".encode())
    assert usage
    usage.charge(7)
    add_key(path, "bo", {})
    assert registry.find(f"Bearer {key}".encode()) is usage
    assert b'nothing_gpt:key_tokens_total{key="ana"} 7\n' in registry.render_metrics()


@pytest.mark.parametrize("text", ["[ana\n", "[bo]\n", "[bo]\nkey = 3\n"])
def test_a_broken_file_changes_nothing(path: Path, text: str) -> None:
    key = add_key(path, "ana", {})
    registry = KeyRegistry({KEY_FILE_VARIABLE: str(path)}, clock=Clock())
    path.write_text(text)
    assert opens(registry, key)
    path.unlink()
    assert opens(registry, key)


def test_comments_keys_and_permissions_of_the_file_stay(path: Path) -> None:
    path.write_text('# ours\n[cy]\nkey = "secret"  # old\n')
    path.chmod(0o640)
    key = add_key(path, "ana", {"tokens_per_minute": 9})
    text = path.read_text()
    assert '# ours\n[cy]\nkey = "secret"  # old\n' in text
    assert key not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    revoke_key(path, "ana")
    assert path.read_text().strip() == '# ours\n[cy]\nkey = "secret"  # old'


def test_two_commands_at_once_lose_no_key(path: Path) -> None:
    names = [f"n{number}" for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: add_key(path, name, {}), names))
    assert {key.name for key in list_keys(path)} == {*names}


@pytest.mark.parametrize("name", ["", "a b", "[x]", "ana", "x" * 65])
def test_a_name_that_is_none_or_taken_is_refused(path: Path, name: str) -> None:
    add_key(path, "ana", {})
    with pytest.raises(UserError):
        add_key(path, name, {})
    with pytest.raises(UserError, match="ana"):
        revoke_key(path, "nobody")


def test_the_command_adds_lists_and_revokes(path: Path) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, "--file", str(path)])
        assert done.exit_code == 0, done.output
        return done.output.strip()

    key = run("add", "ana", "--requests-per-minute", "60")
    assert key.startswith("sk-")
    assert run("list") == "ana: requests_per_minute 60"
    registry = KeyRegistry({KEY_FILE_VARIABLE: str(path)})
    assert opens(registry, key)
    run("revoke", "ana")
    assert run("list") == ""


def test_each_day_is_summed_up_for_each_key(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("serve"), "propagate", True)
    day = datetime.date(2026, 11, 27)
    key = add_key(path, "ana", {})
    registry = KeyRegistry({KEY_FILE_VARIABLE: str(path)}, today=lambda: day)
    usage = registry.find(f"Bearer {key}".encode())
    assert usage
    with caplog.at_level(logging.INFO, "serve"):
        for tokens in (5, 6):
            usage.requests += 1
            usage.charge(tokens)
            registry.log_day()
        day += datetime.timedelta(days=1)
        registry.log_day()
        registry.log_day(ends=True)
    (summary,) = [r.__dict__["data"] for r in caplog.records if r.message == "daily usage"]
    assert summary == {"day": "2026-11-27", "keys": {"ana": {"requests": 2, "tokens": 11}}}
    assert json.dumps(summary)
