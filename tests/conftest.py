"""Markers for all tests, by folder, file or name; `make test-fast` leaves the marked ones out."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent

MARKED = {
    "browser": ("demo/browser", "test_whole_story.py"),
    "contract": ("serve/contract",),
    "slow": (),
}
"""Each marker with its places, relative to `tests/`: folders, files, or `file::test`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test whose folder, file or own name is listed in `MARKED`."""
    for item in items:
        names = list_places(item)
        for marker, places in MARKED.items():
            if names & set(places):
                item.add_marker(marker)


def list_places(item: pytest.Item) -> set[str]:
    """Return the names under which `MARKED` can list a test."""
    path = item.path.relative_to(TESTS)
    function = getattr(item, "originalname", item.name)
    return {path.as_posix(), f"{path.as_posix()}::{function}"} | {
        folder.as_posix() for folder in path.parents
    }
