"""instructor: typed answers by a JSON schema, and from any JSON object."""

import sys
from enum import Enum
from typing import Any

import instructor
from openai import OpenAI
from pydantic import BaseModel

URL, KEY = sys.argv[1:3]


class Speaker(Enum):
    """Who speaks."""

    ANA = "ANA"
    BO = "BO"


class Line(BaseModel):
    """A line."""

    speaker: Speaker
    loud: bool


class Note(BaseModel):
    """A note, which may be empty."""

    text: str = ""


def ask(mode: instructor.Mode, model: type[BaseModel], **options: Any) -> Any:
    """Ask for an answer of a type, in one of instructor's modes."""
    client = instructor.from_openai(OpenAI(base_url=URL, api_key=KEY), mode=mode)
    return client.chat.completions.create(
        model="tiny",
        messages=[{"role": "user", "content": "[ANA] Who left the porridge on the roof?"}],
        response_model=model,
        max_tokens=400,
        max_retries=0,
        seed=7,
        **options,
    )


assert isinstance(ask(instructor.Mode.JSON_SCHEMA, Line), Line)

# In this mode the schema is only a part of the prompt. The model under test has random weights:
# it writes the shortest object, because it may write little else.
server: Any = OpenAI(base_url=URL.removesuffix("/v1"), api_key=KEY)
body = {"model": "tiny", "prompt": "{}", "add_special_tokens": False}
tokens = server.post("/tokenize", body=body, cast_to=object)["tokens"]
bias = {str(token): 100 for token in tokens}
assert isinstance(ask(instructor.Mode.JSON, Note, logit_bias=bias), Note)
