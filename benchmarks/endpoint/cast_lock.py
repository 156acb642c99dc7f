"""Correctness and cost of the cast lock at any endpoint that supports `structured_outputs`.

    python -m serve --show unclaimed &
    python -m benchmarks.endpoint.cast_lock --model unclaimed --lines 1000

The first part samples lines at temperature 1 under many different locks. It counts text that is no
valid line and lines of speakers outside the cast. The second part measures tokens per second with
and without the lock, in turns, by the server's own usage figures.
"""

import asyncio
import os
import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nothing_gpt.cast_lock import CastLock
from nothing_gpt.errors import UserError, reported_errors
from nothing_gpt.line import Line, parse_lines
from nothing_gpt.prompt import Direction, build_messages
from nothing_gpt.records import decode
from nothing_gpt.show import Show, load_show

if TYPE_CHECKING:
    from openai import AsyncOpenAI

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_GUESTS = ("MAN #1", "O'BRIEN", "MR. PITT")
_LINES = 10  # per request
_TOKENS = 80  # limit per line, several times the mean
_ROUNDS = 3  # measurements without and with the lock


@dataclass(frozen=True, slots=True)
class Count:
    """Counts of sampled lines; `cut` ones were ended by the token limit."""

    lines: int = 0
    invalid: int = 0
    outside: int = 0
    cut: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.lines + other.lines,
            self.invalid + other.invalid,
            self.outside + other.outside,
            self.cut + other.cut,
        )


@app.command()
def main(
    model: Annotated[str, typer.Option(help="Which of the served models.")],
    base_url: Annotated[str, typer.Option(help="The server.")] = "http://127.0.0.1:8000/v1",
    lines: Annotated[int, typer.Option(help="Lines to sample.", min=1)] = 1000,
    show: Annotated[
        str | None, typer.Option(help="Whose cast, if the server does not say.")
    ] = None,
    streams: Annotated[list[int] | None, typer.Option(help="At once: 1 and 32.")] = None,
    seconds: Annotated[float, typer.Option(help="How long each measurement lasts.")] = 10,
) -> None:
    """Count the lines that break the lock, and measure its cost in tokens per second."""
    from openai import OpenAIError

    try:
        asyncio.run(_report(base_url, model, show, lines, streams or [1, 32], seconds))
    except OpenAIError as error:
        raise UserError(f"{base_url}: {error}") from None


async def _report(
    base_url: str, model: str, show: str | None, lines: int, streams: list[int], seconds: float
) -> None:
    from openai import AsyncOpenAI

    key = os.environ.get("OPENAI_API_KEY", "none")
    async with AsyncOpenAI(base_url=base_url, api_key=key, timeout=600) as client:
        cast = load_show(show) if show else await find_show(client, model)
        count = await sample(client, model, cast, lines)
        print(f"lines {count.lines}, invalid {count.invalid}, outside the cast {count.outside}")
        print(f"besides, cut by the limit of tokens: {count.cut}")
        print("streams  tokens/s without  with the lock  change")
        lock = CastLock(cast.names, 40)
        body = make_body(model, cast, 0)
        for number in streams:
            free, locked = await compare(client, body, lock, number, seconds)
            change = locked / free - 1
            print(f"{number:7}  {free:16.0f}  {locked:13.0f}  {change:+6.1%}")


async def find_show(client: "AsyncOpenAI", model: str) -> Show:
    """Read the show from the model's card.

    Raises:
        UserError: There is no such model, or its card has no show.
    """
    cards = {card.id: card.model_extra or {} async for card in client.models.list()}
    if model not in cards or "nothing_gpt" not in cards[model]:
        raise UserError(f"'{model}' tells of no show; name one with --show")
    return decode(Show, cards[model]["nothing_gpt"]["show"], f"the card of '{model}'")


def make_body(model: str, show: Show, turn: int) -> dict[str, Any]:
    """Build a request that continues one of the show's openings, or starts a scene without one."""
    openings = show.prompt.openings
    opening = openings[turn % len(openings)] if openings else None
    context = opening.script if opening else ()
    direction = Direction(opening.premise, opening.setting) if opening else Direction()
    return {
        "model": model,
        "messages": build_messages(show, show.prompt.format, context, direction),
        "temperature": 1.0,
        "seed": turn,
    }


def make_lock(show: Show, turn: int, lines: int = _LINES) -> CastLock:
    """Draw a lock: a part of the cast, guests, sometimes a first and a barred speaker."""
    random = Random(turn)  # noqa: S311
    names = [*show.names, *_GUESTS]
    cast = tuple(random.sample(names, random.randint(2, len(names))))
    barred = (cast[0],) if turn % 3 == 0 else ()
    return CastLock(cast, lines, cast[-1] if turn % 2 else None, barred)


def check(text: str, lock: CastLock, *, whole: bool) -> Count:
    """Count the lines of a completion; a last line that was cut is excluded."""
    parsed = parse_lines(text)
    kept = parsed if whole else parsed[:-1]
    spoken = [line for line in kept if isinstance(line, Line)]
    outside = sum(not lock.allows(line.speaker) for line in spoken)
    outside += bool(lock.first and spoken and spoken[0].speaker != lock.first)
    # As strict as the lock: blank lines and lines over the limit are invalid too.
    excess = (
        len(text.removesuffix("\n").split("\n")) - len(parsed) + max(0, len(parsed) - lock.lines)
    )
    return Count(len(kept), len(kept) - len(spoken) + excess, outside, len(parsed) - len(kept))


async def sample(client: "AsyncOpenAI", model: str, show: Show, lines: int) -> Count:
    """Sample at least `lines` lines under locks, eight requests at a time.

    Raises:
        UserError: The model writes too few lines per answer.
    """
    count, turn = Count(), 0

    async def ask(turn: int) -> Count:
        lock = make_lock(show, turn)
        answer = await client.chat.completions.create(
            **make_body(model, show, turn),
            max_tokens=_TOKENS * lock.lines,
            extra_body=lock.as_extra_body(),
        )
        choice = answer.choices[0]
        return check(choice.message.content or "", lock, whole=choice.finish_reason == "stop")

    while count.lines < lines:
        answers = await asyncio.gather(*(ask(turn + i) for i in range(8)))
        count, turn = sum(answers, count), turn + 8
        if turn >= 8 * lines:
            raise UserError(
                f"'{model}' wrote {count.lines} lines in {turn} answers; no more asked"
            )
    return count


async def compare(
    client: "AsyncOpenAI", body: dict[str, Any], lock: CastLock, streams: int, seconds: float
) -> tuple[float, float]:
    """Measure tokens per second without and with a lock, in turns; return the medians.

    Args:
        body: A request without `max_tokens`.
    """
    free: list[float] = []
    locked: list[float] = []
    for _ in range(_ROUNDS):
        for rates, extra in ((free, {}), (locked, lock.as_extra_body())):
            rates.append(await measure(client, body | {"extra_body": extra}, streams, seconds))
    return sorted(free)[_ROUNDS // 2], sorted(locked)[_ROUNDS // 2]


async def measure(
    client: "AsyncOpenAI", body: dict[str, Any], streams: int, seconds: float
) -> float:
    """Keep `streams` requests of 128 tokens running; return the tokens per second."""
    # Without seeds: vLLM 0.32 for CPUs crashes ("CPU Generator does not use offset") when it reads
    # a seeded prompt in parts.
    request = {key: value for key, value in body.items() if key != "seed"} | {"max_tokens": 128}

    async def ask() -> int:
        answer = await client.chat.completions.create(**request)
        return answer.usage.completion_tokens if answer.usage else 0

    async def keep_asking() -> int:
        made = 0
        while time.perf_counter() < started + seconds:
            made += await ask()
        return made

    await ask()  # the first request pays for compilation
    started = time.perf_counter()
    made = sum(await asyncio.gather(*(keep_asking() for _ in range(streams))))
    return made / (time.perf_counter() - started)


if __name__ == "__main__":
    with reported_errors():
        app()
