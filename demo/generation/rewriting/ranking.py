"""The order of alternatives: by how probable the model finds the lines that follow them.

The measure is the mean log-probability of the tokens of the following lines. The server gives it
for plain text alone (`/v1/completions` with `echo`), so the model reads the scene as a plain
script, without the marks of its chat template. All alternatives are read in the same way.
"""

import asyncio
from collections.abc import Sequence

from demo.generation.client import ModelClient
from demo.generation.request import GenerationRequest, build_prompt
from demo.scene.scene import Scene
from nothing_gpt.line import render_lines

FOLLOWING_LINES = 4
"""Lines that an alternative is judged by: the later a line, the less it depends on it."""


async def rank(
    client: ModelClient, request: GenerationRequest, scenes: Sequence[Scene], ends: Sequence[int]
) -> list[int] | None:
    """Sort scenes that differ in one passage, the best first.

    Args:
        ends: The end of the passage in each of them; what follows is the same.

    Returns:
        Indices of the scenes; None if the server gives no log-probabilities, or if there is
        nothing to go by.

    Raises:
        UserError: the server failed.
    """
    if not scenes:
        return None
    after = Scene(scenes[0].entries[ends[0] :]).lines[:FOLLOWING_LINES]
    if not after:
        return None
    model = request.provenance.model
    texts = [
        "\n\n".join(message["content"] for message in build_prompt(request, scene.before(end)))
        for scene, end in zip(scenes, ends, strict=True)
    ]
    scoring = [client.score_text(model, f"{text}\n", render_lines(after)) for text in texts]
    scores = [score for score in await asyncio.gather(*scoring) if score is not None]
    if len(scores) < len(scenes):
        return None
    return sorted(range(len(scenes)), key=lambda index: -scores[index])
