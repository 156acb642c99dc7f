"""Continues a scene over the API and prints it as it is written; needs only the openai package.

export OPENAI_BASE_URL=http://127.0.0.1:8000/v1 OPENAI_API_KEY=none
python examples/continue_scene.py "[DOT] Somebody handed in a door." "[RAY] Whose?"
"""

import sys

from openai import OpenAI

# While a GPU starts, the server answers 503. The client then tries again for five minutes, at most
# 8 seconds apart. It also follows the redirects that Modal sends to requests that wait long.
client = OpenAI(max_retries=40)
adapter = next(card for card in client.models.list() if (card.model_extra or {}).get("parent"))
description = (adapter.model_extra or {})["nothing_gpt"]
opening = sys.argv[1:] or description["show"]["prompt"]["openings"][0]["lines"]

# Up to twelve lines of the cast; the server cannot write anything else. nothing_gpt.cast_lock
# also supports a given first speaker, and characters who must not speak.
names = "|".join(one["name"].replace(".", r"\.") for one in description["show"]["cast"])
line = rf"\[({names})\] [^\x00-\x20][^\x00-\x1f]*"
cast_lock = {"structured_outputs": {"regex": rf"{line}(\n{line}){{0,11}}\n?"}}

stream = client.chat.completions.create(
    model=adapter.id,
    messages=[
        {"role": "system", "content": description["system"]},
        {"role": "user", "content": "\n".join(opening)},
    ],
    **description["show"]["generation"],
    extra_body=cast_lock,
    stream=True,
)
print("\n".join(opening))
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
