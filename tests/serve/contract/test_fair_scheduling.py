"""A local server with two rows and two API keys, one of which asks for far more than the other."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from nothing_gpt.workspace import Workspace
from tests.serve.conftest import KEY, Running, serving, wait_for


def ask(server: Running, key: str, **changes: Any) -> Any:
    return server.client(key).chat.completions.create(
        model="tiny",
        messages=[{"role": "user", "content": "[ANA] Well?"}],
        **{"max_tokens": 400, "seed": 1} | changes,
    )


def test_a_key_with_many_requests_does_not_keep_another_waiting(workspace: Workspace) -> None:
    finished: list[str] = []

    def ask_in_turn(server: Running, key: str, **changes: Any) -> None:
        ask(server, key, **changes)
        finished.append(key)

    with (
        serving(workspace, "--engine", "local", "--max-sequences", "2") as server,
        ThreadPoolExecutor(12) as pool,
    ):
        flood = [pool.submit(ask_in_turn, server, KEY, n=2) for _ in range(8)]
        wait_for(lambda: server.metric("num_requests_waiting") >= 6)
        pool.submit(ask_in_turn, server, "spare", max_tokens=2).result()
        for future in flood:
            future.result()
    assert len(finished) == 9
    assert finished.index("spare") < 5


def test_choices_use_the_rows_that_are_idle(workspace: Workspace) -> None:
    with (
        serving(workspace, "--engine", "local", "--max-sequences", "3") as server,
        ThreadPoolExecutor(2) as pool,
    ):
        regex = {"structured_outputs": {"regex": "[a-z]{1900}"}}
        long = pool.submit(ask, server, KEY, max_tokens=1900, extra_body=regex)
        wait_for(lambda: server.metric("num_requests_running") == 1)
        together = ask(server, KEY, n=3, max_tokens=8)
        assert not long.done()
        alone = ask(server, KEY, n=3, max_tokens=8)
        assert [choice.index for choice in together.choices] == [0, 1, 2]
        texts = [choice.message.content for choice in together.choices]
        assert texts == [choice.message.content for choice in alone.choices]
        assert len(set(texts)) == 3
        assert together.usage == alone.usage
