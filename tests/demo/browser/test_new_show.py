"""A new show in the room, with the real server, controller and training behind it."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from demo.access.options import AccessOptions
from demo.generation.client import ModelClient
from demo.launch import running_room
from nothing_gpt.controller.link import TOKEN_VARIABLE, URL_VARIABLE
from nothing_gpt.workspace import Workspace
from tests.demo.axe import find_violations
from tests.demo.conftest import SHOWS, Stage
from tests.fake_endpoint import free_port
from tests.new_show import BASE, ROOT, TOKEN, running_controller, wait_for, write_scripts

pytestmark = pytest.mark.timeout(600)
MINUTES = 180_000  # milliseconds for a training on a busy machine


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, pocket_base: Path) -> Workspace:
    place = Workspace(tmp_path_factory.mktemp("new-show") / "workspace")
    shutil.copytree(pocket_base, place.root / "bases" / BASE)
    return place


@pytest.fixture(scope="module")
def endpoint(workspace: Workspace) -> Iterator[str]:
    """A server of the base alone, which offers the adapters that are finished later."""
    port = free_port()
    options = ["--base", BASE, "--follow", "--engine", "local", "--port", str(port)]
    command = [sys.executable, "-m", "serve", "--workspace", str(workspace.root), *options]
    process = subprocess.Popen(command, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/health").status_code == 200
        except httpx.TransportError:
            return False

    wait_for(answers)
    yield f"{url}/v1"
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="module")
def training_room(workspace: Workspace, endpoint: str) -> Iterator[str]:
    """A room with a controller beside it."""
    with ExitStack() as stack:
        controller = stack.enter_context(running_controller(workspace))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(URL_VARIABLE, controller.url)
            patch.setenv(TOKEN_VARIABLE, TOKEN)
            client, port = ModelClient(endpoint, "none"), free_port()
            url = stack.enter_context(running_room(client, SHOWS, show="unclaimed", port=port))
        yield url


def open_dialog(stage: Stage) -> Locator:
    stage.button("New show").click()
    dialog = stage.page.get_by_role("dialog", name="New show")
    expect(dialog).to_be_visible()
    return dialog


def send(dialog: Locator, folder: Path, scripts: dict[str, str]) -> None:
    folder.mkdir()
    for name, text in scripts.items():
        (folder / Path(name).name).write_text(text)
    with dialog.page.expect_file_chooser() as chooser:
        dialog.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(sorted(folder.iterdir()))


def test_axe_finds_nothing_in_the_dialog(
    context: BrowserContext, training_room: str, tmp_path: Path
) -> None:
    stage = Stage(context.new_page()).come_in(training_room)
    dialog = open_dialog(stage)
    expect(dialog.get_by_label("What the show is called")).to_be_visible()
    assert find_violations(stage.page) == {}

    send(dialog, tmp_path / "notes", {"notes.txt": "No script."})
    expect(dialog.get_by_role("button", name="Try again")).to_be_visible(timeout=60_000)
    assert find_violations(stage.page) == {}
    dialog.get_by_role("button", name="Start over").click()

    send(dialog, tmp_path / "pier", write_scripts() | {"notes.txt": "No script."})
    expect(dialog.get_by_role("heading", name="Who speaks")).to_be_visible(timeout=60_000)
    assert find_violations(stage.page) == {}

    dialog.get_by_label("Whose scripts these are").fill("Mine.")
    dialog.get_by_role("button", name="Train", exact=True).click()
    expect(dialog.get_by_role("progressbar")).to_be_visible()
    assert find_violations(stage.page) == {}
    dialog.get_by_role("button", name=re.compile("^Stop")).click()
    expect(dialog.get_by_role("button", name="Start over")).to_be_visible(timeout=MINUTES)
    dialog.get_by_role("button", name="Start over").click()


def test_scripts_become_a_model_that_writes(
    context: BrowserContext, training_room: str, tmp_path: Path
) -> None:
    stage = Stage(context.new_page()).come_in(training_room)
    dialog = open_dialog(stage)
    expect(dialog).to_contain_text("Train only on scripts that you wrote")
    dialog.get_by_label("What the show is called").fill("The Pier")
    rubbish = {"<img src=x onerror=alert(1)>.txt": "No script."}
    send(dialog, tmp_path / "pier", write_scripts() | rubbish)

    expect(dialog.get_by_role("heading", name="Who speaks")).to_be_visible(timeout=60_000)
    expect(dialog).to_contain_text("3 episodes")
    expect(dialog).to_contain_text("img src=x onerror=alert(1)")
    picture = dialog.get_by_role("img")
    expect(picture).to_have_attribute("aria-label", re.compile(r"speech 9\d\.\d%"))
    expect(dialog).to_contain_text("perhaps ANN?")
    dialog.get_by_label("Who ANN LEE is").select_option("another name of ANN")
    dialog.get_by_label("Name of MR. PIKE").fill("PIKE")
    dialog.get_by_label("Title", exact=True).fill("Peers & Piers")
    dialog.get_by_role("button", name="Apply the corrections").click()
    expect(dialog.get_by_label("Name of PIKE", exact=True)).to_be_visible(timeout=60_000)
    expect(dialog.get_by_label("Who ANN LEE is")).to_have_value("alias:ANN")

    dialog.get_by_label("Whose scripts these are").fill("Mine.")
    dialog.get_by_role("button", name="Train", exact=True).click()
    expect(dialog.get_by_role("progressbar")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    note = stage.page.locator(".new-show .running")
    expect(note).to_have_text(re.compile("Training Peers & Piers.*Writing is slower meanwhile"))
    stage.write("ANN", "Writing goes on.")  # while it trains
    expect(stage.lines()).to_have_count(1)

    stage.page.reload()  # nothing is lost by it
    expect(stage.note()).to_have_text("Ready.")
    dialog = open_dialog(stage)
    expect(dialog).to_contain_text("Peers & Piers is trained.", timeout=MINUTES)
    curve = dialog.get_by_role("button", name="Write with it")
    expect(curve).to_be_enabled(timeout=MINUTES)
    curve.click()
    expect(stage.page.locator("header.masthead h1")).to_have_text("Peers & Piers")
    expect(stage.page.get_by_label("Model", exact=True)).to_have_value("the_pier")
    stage.proceed(re.compile("by the_pier|ended the scene|was left out"))


def test_a_room_without_a_controller_says_how_to_train(stage: Stage) -> None:
    dialog = open_dialog(stage)
    expect(dialog).to_contain_text("make demo SOURCE=my-scripts/")
    expect(dialog.get_by_role("button")).to_have_count(1)


def test_a_shared_room_trains_for_its_owner_alone(
    context: BrowserContext, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL_VARIABLE, "http://127.0.0.1:9")
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    client, port, host = ModelClient(endpoint, "none"), free_port(), "0.0.0.0"  # noqa: S104
    access = AccessOptions(is_open=True)
    with running_room(client, SHOWS, show="unclaimed", host=host, port=port, access=access):
        stage = Stage(context.new_page()).come_in(f"http://127.0.0.1:{port}")
        dialog = open_dialog(stage)
        expect(dialog).to_contain_text("Others reach this room")
        expect(dialog.get_by_role("button")).to_have_count(1)
