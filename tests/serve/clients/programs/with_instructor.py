"""instructor: typed answers by a JSON schema."""

import sys
from enum import Enum

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


client = instructor.from_openai(
    OpenAI(base_url=URL, api_key=KEY), mode=instructor.Mode.JSON_SCHEMA
)
line = client.chat.completions.create(
    model="tiny",
    messages=[{"role": "user", "content": "[ANA] Who left the porridge on the roof?"}],
    response_model=Line,
    max_tokens=400,
    max_retries=0,
)
assert isinstance(line, Line)
