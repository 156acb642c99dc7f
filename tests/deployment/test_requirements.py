import re
from pathlib import Path

import pytest

from deployment.facts import CONSTRAINTS, VLLM_CONSTRAINTS
from deployment.requirements import read_requirements

_PACKAGE = re.compile(
    r"^([\w.-]+)==([^\s;]+)[^\n]*((?:\n    --hash=sha256:[0-9a-f]{64}[^\n]*)*)", re.M
)


def read_lock(path: str) -> dict[str, str]:
    """Read a lock's versions by name; every package must have a hash."""
    packages = _PACKAGE.findall(Path(path).read_text(encoding="utf-8"))
    assert [name for name, _, hashes in packages if not hashes] == []
    return {normalize(name): version for name, version, _ in packages}


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_groups_bring_the_groups_that_they_include() -> None:
    found = read_requirements("local")
    assert {"torch", "gradio", "typer"} <= {pin.split("==")[0] for pin in found}
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("group", "lock"),
    [(name, CONSTRAINTS[0]) for name in ("local", "modal", "test", "check")]
    + [("vllm", VLLM_CONSTRAINTS[0])],
)
def test_the_locks_hold_all_that_is_installed(group: str, lock: str) -> None:
    """After a change in pyproject.toml, `make lock` writes them again."""
    locked = read_lock(lock)
    wanted = dict(requirement.split("==") for requirement in read_requirements(group))
    assert {name: locked.get(normalize(name)) for name in wanted} == wanted
