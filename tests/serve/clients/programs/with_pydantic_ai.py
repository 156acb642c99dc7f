"""pydantic-ai: agents that answer with a text, a stream and a type."""

import asyncio
import sys
from enum import Enum

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

URL, KEY = sys.argv[1:3]
PROMPT = "[ANA] Who left the porridge on the roof?"
MODEL = OpenAIChatModel("tiny", provider=OpenAIProvider(base_url=URL, api_key=KEY))


class Speaker(Enum):
    """Who speaks."""

    ANA = "ANA"
    BO = "BO"


class Line(BaseModel):
    """A line."""

    speaker: Speaker
    loud: bool


async def main() -> None:
    """Ask for each kind of answer."""
    writer = Agent(MODEL, system_prompt="You write for Tiny.", model_settings={"max_tokens": 8})
    first = await writer.run(PROMPT)
    assert first.output
    assert (await writer.run(PROMPT, message_history=first.all_messages())).output
    async with writer.run_stream(PROMPT) as stream:
        assert [text async for text in stream.stream_text()]
    typed = Agent(MODEL, output_type=NativeOutput(Line), model_settings={"max_tokens": 400})
    assert isinstance((await typed.run(PROMPT)).output, Line)


asyncio.run(main())
