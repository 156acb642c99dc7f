"""Continues a scene over the API, word by word, with nothing but the openai client.

export OPENAI_BASE_URL=http://127.0.0.1:8000/v1 OPENAI_API_KEY=none
python examples/continue_scene.py "[DOT] Somebody handed in a door." "[RAY] Whose?"
"""

import sys

from openai import OpenAI

# A GPU that sleeps says 503 while it starts: asked again, at most 8 seconds apart, for five
# minutes. Redirects, which Modal sends to a request that waits for long, are followed as it is.
client = OpenAI(max_retries=40)
adapter = next(card for card in client.models.list() if (card.model_extra or {}).get("parent"))
about = (adapter.model_extra or {})["nothing_gpt"]
opening = sys.argv[1:] or about["show"]["prompt"]["openings"][0]["lines"]

# At most twelve lines, and nobody speaks but the cast: the server can write nothing else.
# nothing_gpt.cast_lock does the same with a speaker who comes first, or stays silent.
names = "|".join(one["name"].replace(".", r"\.") for one in about["show"]["cast"])
line = rf"\[({names})\] [^\x00-\x20][^\x00-\x1f]*"
lock = {"structured_outputs": {"regex": rf"{line}(\n{line}){{0,11}}\n?"}}

stream = client.chat.completions.create(
    model=adapter.id,
    messages=[
        {"role": "system", "content": about["system"]},
        {"role": "user", "content": "\n".join(opening)},
    ],
    **about["show"]["generation"],
    extra_body=lock,
    stream=True,
)
print("\n".join(opening))
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
