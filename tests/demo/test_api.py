"""The API, used as programs use it: with gradio_client, the example, and MCP."""

import asyncio
import runpy
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

from demo.access.options import AccessOptions
from demo.generation.client import ModelClient
from demo.launch import running_room
from nothing_gpt.show import load_show
from tests.fake_endpoint import SCENE, FakeEndpoint, Script, cut, fake_endpoint, free_port

SHOWS = {"unclaimed": load_show("unclaimed")}
OFFERED = {"models", "continue_scene", "write_takes", "export_scene", "import_scene"}
SCRIPT = "[DOT] It is ringing.\n[FELIX] Let me."


@pytest.fixture(scope="module")
def server() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as endpoint:
        yield endpoint


@pytest.fixture(autouse=True)
def reset(server: FakeEndpoint) -> None:
    server.script = Script()


@pytest.fixture(scope="module")
def room(server: FakeEndpoint) -> Iterator[str]:
    model_client = ModelClient(server.url, "sk-secret")
    access = AccessOptions(mcp=True, limits={"tokens_per_request": 500})
    with running_room(
        model_client, SHOWS, show="unclaimed", port=free_port(), access=access
    ) as address:
        yield address


@pytest.fixture(scope="module")
def client(room: str) -> Client:
    return Client(room, verbose=False)


def test_only_what_programs_need_is_offered(client: Client) -> None:
    offered = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(offered) == {f"/{name}" for name in OFFERED}
    names = [each["parameter_name"] for each in offered["/continue_scene"]["parameters"]]
    assert names == [
        "script", "model", "premise", "setting", "present",
        "lines", "seed", "first", "required", "barred",
    ]  # fmt: skip


def test_a_program_continues_a_scene(client: Client, server: FakeEndpoint) -> None:
    assert client.predict(api_name="/models") == ["unclaimed"]
    answer = client.predict(
        script=SCRIPT,
        model="unclaimed",
        premise="A telephone is handed in.",
        present="DOT, FELIX",
        lines=2,
        seed=7,
        first="Dot",
        required="felix",
        api_name="/continue_scene",
    )
    assert answer == (
        "[DOT] It does seem to be.\n[FELIX] Should we be running? My shoe is undone."
    )
    request, forced = server.requests[-2:]
    assert (request["seed"], request["max_tokens"]) == (7, 256)
    assert "Next to speak: DOT\nMust speak: FELIX" in request["messages"][0]["content"]
    told = "Premise: A telephone is handed in.\nPresent: DOT, FELIX"
    assert told in request["messages"][0]["content"]
    assert "Next to speak: FELIX" in forced["messages"][0]["content"]


def test_a_program_has_takes_written(client: Client, server: FakeEndpoint) -> None:
    server.script.later = [cut("[JUNE] Tea.\n[DOT] No.\n"), cut(SCENE)]
    takes = client.predict(
        script=SCRIPT, model="unclaimed", count=2, lines=2, seed=7, api_name="/write_takes"
    )
    first = "[DOT] It does seem to be.\n[FELIX] Should we be running? My shoe is undone."
    assert sorted(takes) == [first, "[JUNE] Tea.\n[DOT] No."]


@pytest.mark.parametrize("ending", ["fountain", "fdx", "txt", "json"])
def test_a_program_exports_and_imports(client: Client, ending: str) -> None:
    text = client.predict(SCRIPT, ending, "The Bus", "Late.", api_name="/export_scene")
    assert client.predict(text, ending, api_name="/import_scene") == SCRIPT


def test_a_program_wakes_a_sleeping_server(client: Client, server: FakeEndpoint) -> None:
    server.script.awake_at = time.monotonic() + 1.5
    answer = client.predict(SCRIPT, "unclaimed", lines=1, api_name="/continue_scene")
    assert answer == "[DOT] It does seem to be."


def test_nobody_waits_for_another_to_end(room: str, server: FakeEndpoint) -> None:
    people = 50
    server.script.gathering = threading.Barrier(people)  # no answer before all have asked
    crowd = Client(room, verbose=False, max_workers=people)
    call: dict[str, Any] = {"lines": 1, "api_name": "/continue_scene"}
    jobs = [crowd.submit(SCRIPT, "unclaimed", **call) for _ in range(people)]
    assert {job.result(timeout=60) for job in jobs} == {"[DOT] It does seem to be."}


def test_a_program_is_told_what_is_wrong(client: Client) -> None:
    wrong: list[tuple[tuple[Any, ...], str, str]] = [
        (("Hello", "unclaimed"), "/continue_scene", "must look like this"),
        (("[DOT] No.", "other"), "/continue_scene", "has no model 'other'"),
        (("[DOT] No.", "other"), "/write_takes", "has no model 'other'"),
        (("[DOT] No.", "docx", "A"), "/export_scene", "these can"),
        (("rubbish", "json"), "/import_scene", "no JSON"),
    ]
    for arguments, name, words in wrong:
        with pytest.raises(AppError, match=words):
            client.predict(*arguments, api_name=name)


def test_the_example_for_programs_works(
    room: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["room.py", room])
    runpy.run_path("examples/room.py", run_name="__main__")
    said = capsys.readouterr().out
    assert "DOT\nIt does seem to be." in said


def test_a_program_that_speaks_mcp_finds_and_calls_the_tools(room: str) -> None:
    async def converse() -> tuple[dict[str, Any], str, str, bool]:
        async with (
            streamable_http_client(f"{room}gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            arguments = {"script": SCRIPT, "model": "unclaimed", "lines": 1}
            name = next(name for name in tools if name.endswith("continue_scene"))
            done = await session.call_tool(name, arguments)
            failed = await session.call_tool(name, {"script": "Hello", "model": "unclaimed"})
            said, why = done.content[0], failed.content[0]
            assert isinstance(said, TextContent)
            assert isinstance(why, TextContent)
            return (
                {name.removeprefix("_"): tool.inputSchema for name, tool in tools.items()},
                said.text,
                why.text,
                bool(failed.isError),
            )

    tools, said, why, failed = asyncio.run(converse())
    assert set(tools) == OFFERED
    assert said == "[DOT] It does seem to be."
    assert failed
    assert "must look like this" in why


def test_nothing_that_the_room_tells_holds_its_key(room: str) -> None:
    import httpx

    for path in ("", "config", "gradio_api/info", "gradio_api/mcp/schema"):
        assert "sk-secret" not in httpx.get(room + path).text
