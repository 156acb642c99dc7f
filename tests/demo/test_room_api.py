"""The room's endpoints, asked as a program would ask them."""

from collections.abc import Iterator

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from demo.client import Endpoint
from demo.launch import running_room
from nothing_gpt.show import load_show
from tests.fake_endpoint import FakeEndpoint, fake_endpoint, free_port

SHOWS = {"unclaimed": load_show("unclaimed")}


@pytest.fixture(scope="module")
def server() -> Iterator[FakeEndpoint]:
    with fake_endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def client(server: FakeEndpoint) -> Iterator[Client]:
    endpoint = Endpoint(server.url, "none")
    with running_room(endpoint, SHOWS, show="unclaimed", port=free_port()) as url:
        yield Client(url, verbose=False)


def test_only_what_programs_need_is_offered(client: Client) -> None:
    offered = client.view_api(return_format="dict", print_info=False)
    assert set(offered["named_endpoints"]) == {"/models", "/continue_scene"}


def test_a_program_continues_a_scene(client: Client, server: FakeEndpoint) -> None:
    assert client.predict(api_name="/models") == ["unclaimed"]
    answer = client.predict(
        script="[DOT] It is ringing.\n[FELIX] Let me.",
        model="unclaimed",
        premise="A telephone is handed in.",
        present="DOT, FELIX",
        lines=2,
        seed=7,
        api_name="/continue_scene",
    )
    assert answer == (
        "[DOT] It does seem to be.\n[FELIX] Should we be running? My shoe is undone."
    )
    request = server.requests[-1]
    assert request["seed"] == 7
    assert (
        "Premise: A telephone is handed in.\nPresent: DOT, FELIX"
        in (request["messages"][0]["content"])
    )


def test_a_program_is_told_what_is_wrong(client: Client) -> None:
    with pytest.raises(AppError, match="must look like this"):
        client.predict("Hello", "unclaimed", api_name="/continue_scene")
    with pytest.raises(AppError, match="has no model 'other'"):
        client.predict("[DOT] No.", "other", api_name="/continue_scene")
