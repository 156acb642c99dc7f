import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from demo.generation.client import ModelClient
from demo.generation.models import OfferedModel
from demo.generation.stream import Progress
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line
from nothing_gpt.records import encode
from nothing_gpt.show import load_show
from tests.fake_endpoint import SCENE, Script, cut, fake_endpoint, free_port

SHOW = load_show("unclaimed")
CARD = {"show": encode(SHOW), "format": "directed", "metrics": {"loss": 2.0}}


def ask(client: ModelClient, wanted: int = 8, model: str = "unclaimed") -> list[Progress]:
    request = {"model": model, "messages": [], "stream": True}

    async def collect() -> list[Progress]:
        return [step async for step in client.stream_lines(request, wanted)]

    return asyncio.run(collect())


def lines_of(steps: list[Progress]) -> list[Line]:
    return [line for step in steps for line in step.lines]


def test_lines_grow_and_complete_however_the_text_is_cut() -> None:
    for size in (1, 7, len(SCENE)):
        with fake_endpoint(Script(pieces=cut(SCENE, size))) as server:
            steps = ask(ModelClient(server.url, "none"))
        assert [line.speaker for line in lines_of(steps)] == [
            "DOT", "FELIX", "JUNE", "MR. PIKE", "WALLY", "BEA", "DOT", "FELIX",
        ]  # fmt: skip
        assert steps[-1].ending == "enough"
    with fake_endpoint(Script(pieces=cut(SCENE, 1))) as server:
        growing = [step.growing for step in ask(ModelClient(server.url, "none"))]
    assert Line("MR. PIKE", "Let it be") in growing


def test_the_stream_is_closed_when_the_wanted_lines_are_there() -> None:
    script = Script(pieces=[*cut(SCENE), *["[DOT] More.\n"] * 500], delay=0.002)
    with fake_endpoint(script) as server:
        steps = ask(ModelClient(server.url, "none"), wanted=3)
        assert len(lines_of(steps)) == 3
        assert server.disconnected.wait(5)


def test_a_stream_that_is_abandoned_in_the_middle_stops_the_server() -> None:
    async def take_one(client: ModelClient) -> None:
        steps = client.stream_lines({"model": "unclaimed", "messages": [], "stream": True}, 8)
        await anext(steps)
        await steps.aclose()

    with fake_endpoint(Script(hang_after=3)) as server:
        asyncio.run(take_one(ModelClient(server.url, "none")))
        assert server.disconnected.wait(5)


def test_text_that_is_no_line_is_left_out_and_counted() -> None:
    text = "Sure! Here it is:\n[DOT] No.\n[dot] no\n\n[DOT]\n[BEA] Why?\n"
    with fake_endpoint(Script(pieces=cut(text))) as server:
        steps = ask(ModelClient(server.url, "none"))
    assert lines_of(steps) == [Line("DOT", "No."), Line("BEA", "Why?")]
    assert (steps[-1].malformed, steps[-1].ending) == (3, "finished")


def test_a_last_line_without_a_line_break_counts_unless_the_limit_cut_it() -> None:
    for finish, ending, count in (("stop", "finished", 2), ("length", "cut", 1)):
        script = Script(pieces=["[DOT] No.\n[BEA] Why n"], finish=finish)
        with fake_endpoint(script) as server:
            steps = ask(ModelClient(server.url, "none"))
        assert (len(lines_of(steps)), steps[-1].ending) == (count, ending)


def test_models_bring_their_show_if_they_are_ours() -> None:
    models: list[dict[str, Any]] = [
        {"id": "pocket-unclaimed"},
        {"id": "unclaimed", "parent": "pocket-unclaimed", "nothing_gpt": CARD},
        {"id": "newer", "nothing_gpt": {**CARD, "format": "telepathic"}},
    ]
    with fake_endpoint(Script(models=models)) as server:
        found = asyncio.run(ModelClient(server.url, "none").list_models())
    assert found[:2] == (
        OfferedModel("pocket-unclaimed"),
        OfferedModel("unclaimed", "pocket-unclaimed", SHOW, "directed"),
    )
    assert found[2].show is None
    assert "'newer'" in found[2].card_error
    assert "telepathic" in found[2].card_error


@pytest.mark.parametrize(
    ("metrics", "loss"),
    [
        ({"eval_loss": 2.61, "eval_bits_per_byte": 1.186}, "2.610 (1.186 bits a byte)"),
        ({"eval_loss": 2.61}, "2.610"),
        ({"eval_loss": "low"}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_models_tell_their_held_out_loss_if_the_server_does(metrics: object, loss: str) -> None:
    cards = [{"id": "unclaimed", "nothing_gpt": {**CARD, "metrics": metrics}}]
    with fake_endpoint(Script(models=cards)) as server:
        (found,) = asyncio.run(ModelClient(server.url, "none").list_models())
    assert (found.held_out_loss, found.show, found.card_error) == (loss, SHOW, "")


def refuse(status: int) -> Callable[[Script], None]:
    def change(script: Script) -> None:
        script.status = status

    return change


def die(script: Script) -> None:
    script.die_after = 5


def send(text: str) -> Callable[[Script], None]:
    def change(script: Script) -> None:
        script.pieces = []
        script.raw = f"data: {text}\n\n".encode()

    return change


def hang(script: Script) -> None:
    script.hang_after = 2


def lock(script: Script) -> None:
    script.key = "secret"


def lose(script: Script) -> None:
    script.models = [{"id": "another"}]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (refuse(503), "still loading its model"),
        (refuse(429), "busy"),
        (refuse(500), "as the test says"),
        (refuse(400), "as the test says"),
        (die, "broke off in the middle"),
        (send("{no json"), "not OpenAI's protocol"),
        (send("5"), "not OpenAI's protocol"),
        (send('{"choices": ["a"]}'), "not OpenAI's protocol"),
        (send('{"choices": [{"delta": {"content": 5}}]}'), "not OpenAI's protocol"),
        (send('{"error": {"message": "out of memory"}}'), "out of memory"),
        (hang, "has not said a word for 0.5 seconds"),
        (lock, "OPENAI_API_KEY"),
        (lose, "has no model 'unclaimed'; choose another"),
    ],
)
def test_what_goes_wrong_is_said_in_words(change: Callable[[Script], None], words: str) -> None:
    with fake_endpoint() as server:
        change(server.script)
        with pytest.raises(UserError, match=words) as caught:
            ask(ModelClient(server.url, "wrong", timeout=0.5))
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("chunk", ["{}", '{"choices": null}', '{"choices": [{}]}'])
def test_chunks_without_text_are_passed_over(chunk: str) -> None:
    with fake_endpoint(
        Script(pieces=["[DOT] No.\n"], raw=f"data: {chunk}\n\n".encode())
    ) as server:
        steps = ask(ModelClient(server.url, "none"))
    assert (lines_of(steps), steps[-1].ending) == ([Line("DOT", "No.")], "finished")


def test_a_server_that_is_not_there() -> None:
    client = ModelClient(f"http://127.0.0.1:{free_port()}/v1", "none")
    with pytest.raises(UserError, match="cannot be reached"):
        ask(client)
    with pytest.raises(UserError, match="cannot be reached"):
        asyncio.run(ModelClient(client.base_url, "none").list_models())


def test_an_address_that_is_not_openais_says_so() -> None:
    with (
        fake_endpoint() as server,
        pytest.raises(UserError, match=r"no OpenAI-compatible server.*/v1"),
    ):
        asyncio.run(ModelClient(server.url.removesuffix("/v1"), "none").list_models())


def test_the_right_key_is_taken() -> None:
    with fake_endpoint(Script(key="right")) as server:
        assert asyncio.run(ModelClient(server.url, "right").list_models()) == (
            OfferedModel("unclaimed"),
        )
