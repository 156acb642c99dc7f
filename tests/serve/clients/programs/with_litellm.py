"""litellm: whole and streamed answers, JSON, plain completions, and its mapping of errors."""

import json
import sys

import litellm

URL, KEY, SCHEMA = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
COMMON = {"model": "openai/tiny", "api_base": URL, "api_key": KEY}
MESSAGES = [{"role": "user", "content": "[ANA] Who left the porridge on the roof?"}]

answer = litellm.completion(messages=MESSAGES, max_tokens=8, **COMMON)
assert answer.choices[0].message.content
assert answer.usage.completion_tokens == 8

again = [*MESSAGES, answer.choices[0].message, MESSAGES[0]]
parts = list(litellm.completion(messages=again, max_tokens=8, stream=True, **COMMON))
assert "".join(part.choices[0].delta.content or "" for part in parts)

schema = {"type": "json_schema", "json_schema": {"name": "line", "schema": SCHEMA}}
answer = litellm.completion(messages=MESSAGES, max_tokens=400, response_format=schema, **COMMON)
assert json.loads(answer.choices[0].message.content)["speaker"] in ("ANA", "BO")

plain = {**COMMON, "model": "text-completion-openai/tiny"}
assert litellm.text_completion(prompt="[ANA] Well", max_tokens=4, **plain).choices[0].text

try:
    litellm.completion(messages=MESSAGES, max_tokens=100_000, **COMMON)
except litellm.ContextWindowExceededError:
    pass
else:
    raise AssertionError("a context that is too long was not recognised")
