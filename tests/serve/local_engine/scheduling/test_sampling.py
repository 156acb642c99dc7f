import math
from collections.abc import Sequence

import pytest
import torch

from serve.local_engine.request import SamplingParams
from serve.local_engine.scheduling.sampling import sample

LOGITS = torch.tensor([[1.0, 3.0, -math.inf, 0.5, 2.0, -1.0]])
SHARES = LOGITS.softmax(dim=-1)[0].tolist()
ROUNDS = 2000


def drawn(
    logits: torch.Tensor = LOGITS, generated: Sequence[int] = (), **params: float
) -> list[float]:
    """How often each token comes, over random numbers spread evenly from 0 to 1."""
    size = logits.shape[1]
    tokens = sample(
        logits.repeat(ROUNDS, 1),
        [generated] * ROUNDS,
        [SamplingParams(**params)] * ROUNDS,
        [i / ROUNDS for i in range(ROUNDS)],
    )
    return [tokens.count(token) / ROUNDS for token in range(size)]


def test_tokens_come_as_often_as_the_model_says() -> None:
    assert drawn() == pytest.approx(SHARES, abs=2 / ROUNDS)


def test_temperature_sharpens() -> None:
    sharp = (LOGITS / 0.5).softmax(dim=-1)[0].tolist()
    assert drawn(temperature=0.5) == pytest.approx(sharp, abs=2 / ROUNDS)


def test_a_nucleus_is_the_fewest_tokens_that_make_up_top_p() -> None:
    likely = SHARES[1] + SHARES[4]
    wanted = [0, SHARES[1] / likely, 0, 0, SHARES[4] / likely, 0]
    for top_p in (SHARES[1] + 0.01, likely - 0.01):
        assert drawn(top_p=top_p) == pytest.approx(wanted, abs=2 / ROUNDS)


def test_a_nucleus_may_be_most_of_a_large_vocabulary() -> None:
    logits = torch.linspace(0, 1, 1500)[None]
    shares = logits.softmax(dim=-1)[0].double()
    smallest = int((shares.flip(0).cumsum(0) < 0.8).sum()) + 1
    tokens = [
        sample(logits, [[]], [SamplingParams(top_p=0.8)], [chance])[0]
        for chance in (0.0, 0.999999)
    ]
    assert tokens == [1500 - smallest, 1499]


def test_temperature_0_takes_the_likeliest() -> None:
    tokens = sample(LOGITS.clone(), [[]], [SamplingParams(temperature=0)], [0.0])
    assert tokens == [1]


def test_penalties_follow_openais_formula() -> None:
    counts = torch.tensor([[0.0, 3.0, 0.0, 0.0, 1.0, 0.0]])
    changed = LOGITS - 0.5 * counts - 0.25 * (counts > 0)
    wanted = changed.softmax(dim=-1)[0].tolist()
    found = drawn(generated=[1, 4, 1, 1], frequency_penalty=0.5, presence_penalty=0.25)
    assert found == pytest.approx(wanted, abs=2 / ROUNDS)


def test_no_chance_reaches_a_forbidden_token() -> None:
    logits = torch.full((1, 50_000), -math.inf)
    logits[0, ::7] = torch.randn(len(logits[0, ::7]), generator=torch.Generator().manual_seed(0))
    chance = math.nextafter(1.0, 0.0)
    for top_p in (1.0, 0.99):
        token = sample(logits, [[]], [SamplingParams(top_p=top_p)], [chance])[0]
        assert token % 7 == 0


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(5, 900, generator=generator)
    generated = torch.randint(0, 900, (5, 300), generator=generator).tolist()
    params = [
        SamplingParams(),
        SamplingParams(top_p=0.5, temperature=0.3),
        SamplingParams(temperature=0),
        SamplingParams(top_p=0.999, frequency_penalty=1),
        SamplingParams(presence_penalty=-1),
    ]
    randoms = [0.1, 0.5, 0.0, 0.9, 0.7]
    together = sample(logits.clone(), generated, params, randoms)
    alone = [
        sample(logits[i : i + 1].clone(), [generated[i]], [params[i]], [randoms[i]])[0]
        for i in range(5)
    ]
    assert together == alone


def test_a_temperature_next_to_0_is_like_0() -> None:
    assert drawn(temperature=1e-30) == [0, 1, 0, 0, 0, 0]
