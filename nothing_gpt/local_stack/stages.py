"""The program that runs all stages: data_prep and train, then serve and demo together."""

import contextlib
import os
import secrets
import signal
import sys
import time
import webbrowser
from dataclasses import dataclass
from typing import NoReturn

from nothing_gpt.admission import LOGIN_VARIABLE, LOOPBACK, is_open
from nothing_gpt.controller.link import TOKEN_VARIABLE, URL_VARIABLE
from nothing_gpt.local_stack.ports import check_port, find_free_port
from nothing_gpt.local_stack.stage_process import StageProcess, background_stage, run_stage
from nothing_gpt.show import load_show, name_source
from nothing_gpt.workspace import VARIABLE, Workspace

_BUNDLED = "unclaimed"

_API_PORT = 8000
"""The usual port of the API; another free one if it is taken."""

_RESTART_PAUSE = 10.0  # seconds between two starts of the controller


@dataclass(frozen=True, slots=True)
class StackOptions:
    """The options of the program.

    Attributes:
        show: A show's name or TOML file; None for the bundled show, or for a draft of the source.
        port: Of the writers' room.
        source: The scripts; None for the show's own.
        base: The option of train.
        share: Whether the room also gets a public Gradio link, and a login if none is set.
    """

    show: str | None
    port: int
    source: str | None = None
    base: str = "smollm2"
    share: bool = False


def run_stages(options: StackOptions, workspace: Workspace) -> None:
    """Prepare the data, train, serve and open the writers' room; return after Ctrl-C.

    A stage takes no time if its output exists and its inputs have not changed.

    Raises:
        UserError: a port is taken, or the server or the room ended by itself.
        SystemExit: a stage failed; it has printed the reason, and this is its exit status.
        KeyboardInterrupt: Ctrl-C or SIGTERM before the room was ready.
    """
    check_port(options.port)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    os.environ[VARIABLE] = str(workspace.root.resolve())
    started = time.monotonic()
    show = options.show or _find_show(options.source, workspace)
    name = load_show(show).name
    source = ["--source", options.source] if options.source and options.show else []
    run_stage("data_prep", "--show", show, "--tokenizer", "none", *source)
    run_stage("train", "--show", show, "--base", options.base)
    port = find_free_port(_API_PORT)
    server_url, room_url = f"http://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{options.port}"
    share = ["--share"] if options.share else []
    login = ""
    if options.share and not is_open(os.environ) and LOGIN_VARIABLE not in os.environ:
        login = f"writer:{secrets.token_urlsafe(9)}"
        os.environ[LOGIN_VARIABLE] = login
    control_port = find_free_port(0)
    os.environ[URL_VARIABLE] = f"http://{LOOPBACK}:{control_port}"
    os.environ[TOKEN_VARIABLE] = secrets.token_urlsafe()
    control_options = ("--port", str(control_port), "--base", options.base)
    with (
        background_stage("serve", workspace, "--show", name, "--port", str(port), "--follow") as (
            server
        ),
        background_stage("nothing_gpt.controller", workspace, *control_options) as controller,
        background_stage(
            "demo",
            workspace,
            *("--base-url", f"{server_url}/v1", "--model", name, "--show", show),
            *("--port", str(options.port), *share),
        ) as room,
    ):
        server.wait_until_ready(f"{server_url}/health")
        room.wait_until_ready(room_url)
        with contextlib.suppress(KeyboardInterrupt):
            seconds = time.monotonic() - started
            print(f"\nThe room is open: {room_url}    (ready in {seconds:.0f} s)")
            if login:
                name, _, password = login.partition(":")
                print(f"It asks for a login: {name}, {password}")
            print(f"The API beside it: {server_url}/v1    Ctrl-C stops both.", flush=True)
            if sys.stdout.isatty() and os.environ.get("DISPLAY"):
                webbrowser.open(room_url)
            _wait_for_any(server, room, restarted=controller)
    print("stopped")


def _find_show(source: str | None, workspace: Workspace) -> str:
    """Return the bundled show; for scripts without one, the show file drafted from them."""
    if source is None:
        return _BUNDLED
    path = workspace.draft(name_source(source))
    run_stage("data_prep", "draft", source, "--out", str(path))
    return str(path)


def _wait_for_any(*stages: StageProcess, restarted: StageProcess) -> NoReturn:
    """Wait until one of the stages has ended, which is an error.

    Args:
        restarted: A stage that is started again instead: writing goes on without it.

    Raises:
        UserError: one of them has ended.
    """
    restart_at = 0.0
    while True:
        for stage in stages:
            stage.check()
        if restarted.has_ended and time.monotonic() >= restart_at:
            restart_at = time.monotonic() + _RESTART_PAUSE
            restarted.start()
        time.sleep(0.5)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
