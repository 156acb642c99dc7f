"""langchain-openai: chats, streams, log-probabilities, structured output, plain completions."""

import sys
from typing import Literal

from langchain_openai import ChatOpenAI, OpenAI
from pydantic import BaseModel

URL, KEY = sys.argv[1:3]
PROMPT = "[ANA] Who left the porridge on the roof?"


class Line(BaseModel):
    """A line."""

    speaker: Literal["ANA", "BO"]
    loud: bool


def chat(**options: object) -> ChatOpenAI:
    """Make a client."""
    return ChatOpenAI(base_url=URL, api_key=KEY, model="tiny", **{"max_tokens": 8, **options})


assert chat().invoke(PROMPT).content
assert "".join(part.content for part in chat().stream(PROMPT))
scored = chat(logprobs=True, top_logprobs=2).invoke(PROMPT)
assert len(scored.response_metadata["logprobs"]["content"]) == 8
typed = chat(max_tokens=400).with_structured_output(Line, method="json_schema")
assert isinstance(typed.invoke(PROMPT), Line)
assert OpenAI(base_url=URL, api_key=KEY, model="tiny", max_tokens=8).invoke(PROMPT)
