import asyncio

import pytest

from benchmarks.room.rewrite_ranking import Place, describe, measure
from demo.generation.client import ModelClient
from demo.generation.request import GenerationRequest
from demo.scene.scene import Entry, Provenance, Scene
from nothing_gpt.errors import UserError
from nothing_gpt.show import load_show
from tests.fake_endpoint import cut, fake_endpoint

SCENE = Scene(tuple(Entry(f"Line {i}.", "DOT" if i % 2 else "FELIX") for i in range(6)))
SCORES = {"Good.": -1.0, "Line 1.": -2.0, "Bad.": -3.0, "Worse.": -4.0}


def test_the_true_line_is_ranked_among_those_that_are_written() -> None:
    request = GenerationRequest(load_show("unclaimed"), "script", Provenance("unclaimed", 1), 1)
    with fake_endpoint() as server:
        answers = [f"[DOT] {word}\n" for word in ("Good.", "Bad.", "Worse.", "Bad.")]
        server.script.pieces, *server.script.later = map(cut, answers)
        server.script.score = lambda prompt: next(v for k, v in SCORES.items() if k in prompt)
        place = asyncio.run(measure(ModelClient(server.url, "none"), request, SCENE, 1))
        assert place == Place(ahead=1, behind=2)
        server.script.score = None
        with pytest.raises(UserError, match="no log-probabilities"):
            asyncio.run(measure(ModelClient(server.url, "none"), request, SCENE, 1))


def test_the_places_are_summed_up() -> None:
    said = describe([Place(0, 4), Place(3, 1), Place(0, 0)])
    assert said == (
        "2 places with 8 written lines.\n"
        "The true line is first at 1 places; by chance at 0.4.\n"
        "The next lines are more probable after it in 5 of 8 pairs (62%)."
    )
