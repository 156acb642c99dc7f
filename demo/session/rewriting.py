"""Alternatives of a passage in a session's scene, shown until one is kept."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from demo.generation.client import ModelClient
from demo.generation.request import GenerationRequest
from demo.generation.rewriting.alternatives import AlternativeSet, Passage, write_alternatives
from demo.generation.summary import StatusMessage
from demo.scene.scene import Scene, SpeakerAndText
from demo.session.session import Session


async def rewrite_passage(
    session: Session,
    client: ModelClient,
    requests: Sequence[GenerationRequest],
    index: int,
    was: Sequence[SpeakerAndText],
) -> AsyncGenerator[AlternativeSet]:
    """Have alternatives of a passage written; the scene stays as it is.

    Args:
        requests: One for each alternative.
        index: Where the writer saw the passage.
        was: Its words; none for the gap before the index.

    Raises:
        UserError: the passage has changed, a model is writing, no line is before the passage, the
            server failed, or the visitor has reached the rate limit.
    """
    session.require_idle()
    scene = session.history.scene
    passage = Passage(session.find_passage(index, was), len(was))
    capped = [session.cap_tokens(request) for request in requests]
    with session.reserve_tokens(capped) as usage:
        session.dismiss_candidates()
        session.finished = asyncio.Event()
        session.status = StatusMessage("Alternatives are being written ...", "busy")
        try:
            async with aclosing(write_alternatives(client, capped, scene, passage)) as steps:
                async for step in steps:
                    usage.tokens = step.tokens
                    session.alternative_set = step
                    yield step
            session.status = _summarize(session.alternative_set, scene)
        except (asyncio.CancelledError, GeneratorExit):
            session.status = StatusMessage("Stopped. What is there can still be kept.")
            raise
        finally:
            session.finished.set()


def _summarize(alternative_set: AlternativeSet | None, scene: Scene) -> StatusMessage:
    if alternative_set is None or not alternative_set.alternatives:
        return StatusMessage("No alternative came of it; the model wrote the same, or nothing.")
    if alternative_set.ranked:
        return StatusMessage("Alternatives, best first: by how well the next lines go on.")
    passage = alternative_set.passage
    follows = any(entry.line for entry in scene.entries[passage.start + passage.count :])
    why = "the server gives no log-probabilities" if follows else "no line follows"
    return StatusMessage(f"Alternatives as they came, unranked: {why}.")
