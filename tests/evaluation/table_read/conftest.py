"""A table read of two models' kept scenes, with none of its pairs read."""

from pathlib import Path

import pytest

from evaluation.preference.kept_scenes import read_kept_scenes
from evaluation.preference.pair import plan_pairs
from evaluation.table_read.table_read import TableRead
from tests.evaluation.conftest import Kept

LABELS = ("one", "two")


def open_read(kept: Kept, *labels: str) -> TableRead:
    """Start a table read, or go on with it."""
    found = read_kept_scenes(kept.show, labels or LABELS, kept.workspace)
    folder = kept.workspace.votes(kept.show.name)
    return TableRead(kept.show.name, labels or LABELS, plan_pairs(found), folder)


@pytest.fixture
def table_read(kept: Kept) -> TableRead:
    for model in LABELS:
        kept.keep_run(model, samples=4)
    return open_read(kept)


@pytest.fixture
def votes_file(kept: Kept) -> Path:
    return kept.workspace.votes(kept.show.name) / "votes.jsonl"
