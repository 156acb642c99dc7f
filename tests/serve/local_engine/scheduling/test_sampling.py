import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.local_engine.request.sampling import SamplingParams
from serve.local_engine.scheduling.sampling import Floats, RandomStream, SampledRow
from serve.local_engine.scheduling.sampling import sample as sample_rows

LOGITS = torch.tensor([[1.0, 3.0, -math.inf, 0.5, 2.0, -1.0]])
SHARES = LOGITS.softmax(dim=-1)[0].tolist()
ROUNDS = 6000
CLOSE = 0.026  # four standard deviations of the share of a token, at most


def sample(
    logits: torch.Tensor,
    generated: Sequence[Sequence[int]],
    params: Sequence[SamplingParams],
    draws: Sequence[Floats | None],
) -> list[int]:
    rows = zip(params, generated, draws, strict=True)
    return sample_rows(logits, [SampledRow(p, [0], tokens, {5}, d) for p, tokens, d in rows])


def drawn(
    logits: torch.Tensor = LOGITS, generated: Sequence[int] = (), **params: Any
) -> list[float]:
    """How often each token comes, over many draws."""
    size = logits.shape[1]
    stream = RandomStream(0, 0)
    tokens = sample(
        logits.repeat(ROUNDS, 1),
        [generated] * ROUNDS,
        [SamplingParams(**params)] * ROUNDS,
        [stream.draw(size) for _ in range(ROUNDS)],
    )
    return [tokens.count(token) / ROUNDS for token in range(size)]


def test_tokens_come_as_often_as_the_model_says() -> None:
    assert drawn() == pytest.approx(SHARES, abs=CLOSE)


def test_temperature_sharpens() -> None:
    sharp = (LOGITS / 0.5).softmax(dim=-1)[0].tolist()
    assert drawn(temperature=0.5) == pytest.approx(sharp, abs=CLOSE)


def test_a_nucleus_is_the_fewest_tokens_that_make_up_top_p() -> None:
    likely = SHARES[1] + SHARES[4]
    wanted = [0, SHARES[1] / likely, 0, 0, SHARES[4] / likely, 0]
    for top_p in (SHARES[1] + 0.01, likely - 0.01):
        assert drawn(top_p=top_p) == pytest.approx(wanted, abs=CLOSE)


def test_a_nucleus_may_be_most_of_a_large_vocabulary() -> None:
    logits = torch.linspace(0, 1, 1500)[None]
    shares = logits.softmax(dim=-1)[0].double()
    smallest = int((shares.flip(0).cumsum(0) < 0.8).sum()) + 1
    stream = RandomStream(0, 0)
    params = SamplingParams(top_p=0.8)
    rows = 3000
    draws = [stream.draw(1500) for _ in range(rows)]
    tokens = sample(logits.repeat(rows, 1), [[]] * rows, [params] * rows, draws)
    assert min(tokens) in range(1500 - smallest, 1500 - smallest + 30)
    assert max(tokens) == 1499


def test_a_nucleus_may_have_only_unlikely_tokens() -> None:
    logits = torch.zeros(1, 50_000)
    logits[0, 1::2] = -20
    draws = [RandomStream(0, 0).draw(50_000)]
    assert sample(logits, [[]], [SamplingParams(top_p=0.9)], draws)[0] % 2 == 0


def test_temperature_0_takes_the_likeliest() -> None:
    tokens = sample(LOGITS.clone(), [[]], [SamplingParams(temperature=0)], [None])
    assert tokens == [1]


def test_penalties_follow_openais_formula() -> None:
    counts = torch.tensor([[0.0, 3.0, 0.0, 0.0, 1.0, 0.0]])
    changed = LOGITS - 0.5 * counts - 0.25 * (counts > 0)
    wanted = changed.softmax(dim=-1)[0].tolist()
    found = drawn(generated=[1, 4, 1, 1], frequency_penalty=0.5, presence_penalty=0.25)
    assert found == pytest.approx(wanted, abs=CLOSE)


def test_top_k_takes_the_k_likeliest() -> None:
    likely = SHARES[1] + SHARES[4]
    wanted = [0, SHARES[1] / likely, 0, 0, SHARES[4] / likely, 0]
    assert drawn(top_k=2) == pytest.approx(wanted, abs=CLOSE)
    for everything in (0, -1, 6, 1000):
        assert drawn(top_k=everything) == pytest.approx(SHARES, abs=CLOSE)
    assert drawn(top_k=1) == [0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_min_p_is_a_share_of_the_likeliest(temperature: float) -> None:
    shares = (LOGITS / temperature).softmax(dim=-1)[0]
    kept = torch.where(shares >= 0.3 * shares.max(), shares, 0)
    wanted = (kept / kept.sum()).tolist()
    found = drawn(temperature=temperature, min_p=0.3)
    assert found == pytest.approx(wanted, abs=CLOSE)
    assert [share > 0 for share in found] == [share > 0 for share in wanted]


def test_a_repetition_penalty_divides_or_multiplies_the_logits_of_prompt_and_text() -> None:
    # Token 0 is in the prompt.
    changed = LOGITS.clone()
    changed[0, [0, 1]] /= 1.5
    changed[0, 5] *= 1.5
    wanted = changed.softmax(dim=-1)[0].tolist()
    found = drawn(generated=[1, 5, 1], repetition_penalty=1.5)
    assert found == pytest.approx(wanted, abs=CLOSE)


def test_a_bias_is_added_up_to_100() -> None:
    changed = LOGITS.clone()
    changed[0, 0] += 2
    wanted = changed.softmax(dim=-1)[0].tolist()
    assert drawn(logit_bias={0: 2}) == pytest.approx(wanted, abs=CLOSE)
    assert drawn(logit_bias={5: 1e9, 3: 70}) == [0, 0, 0, 0, 0, 1]


def test_no_sequence_ends_before_min_tokens_unless_a_grammar_ends_it() -> None:
    likely_end = LOGITS.clone()
    likely_end[0, 5] = 50
    assert drawn(likely_end, min_tokens=2, generated=[1])[5] == 0
    assert drawn(likely_end, min_tokens=2, generated=[1, 1])[5] == 1
    only_end = torch.full((1, 6), -math.inf)
    only_end[0, 5] = 1
    assert drawn(only_end, min_tokens=2)[5] == 1


@pytest.mark.parametrize("smallest", [0.0, 1e-300, 1e-45, 1e-12])
def test_no_chance_reaches_a_forbidden_token(smallest: float) -> None:
    logits = torch.full((1, 50_000), -math.inf)
    logits[0, ::7] = torch.randn(len(logits[0, ::7]), generator=torch.Generator().manual_seed(0))
    draws = np.full(50_000, smallest, dtype=np.float32)
    for top_p in (1.0, 0.99):
        token = sample(logits, [[]], [SamplingParams(top_p=top_p)], [draws])[0]
        assert token % 7 == 0


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(6, 900, generator=generator)
    generated = torch.randint(0, 900, (6, 300), generator=generator).tolist()
    params = [
        SamplingParams(),
        SamplingParams(top_p=0.5, temperature=0.3),
        SamplingParams(temperature=0),
        SamplingParams(top_p=0.999, frequency_penalty=1),
        SamplingParams(presence_penalty=-1),
        SamplingParams(top_k=20, min_p=0.01, repetition_penalty=1.2, logit_bias={7: 3}),
    ]
    draws = [
        RandomStream(3, row).draw(900) if p.temperature else None for row, p in enumerate(params)
    ]
    together = sample(logits.clone(), generated, params, draws)
    alone = [
        sample(logits[i : i + 1].clone(), [generated[i]], [params[i]], [draws[i]])[0]
        for i in range(6)
    ]
    assert together == alone


def test_a_temperature_next_to_0_is_like_0() -> None:
    assert drawn(temperature=1e-30) == [0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("smallest", [0.0, 1e-45, 1e-12])
def test_the_smallest_draw_does_not_make_any_token_win(smallest: float) -> None:
    logits = torch.tensor([[0.0, -30.0, 0.0]])
    draws = np.array([0.6, smallest, 0.4], dtype=np.float32)
    assert sample(logits, [[]], [SamplingParams()], [draws]) == [2]


@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.7, 1.0, 2.0]))
@settings(max_examples=100, deadline=None)
def test_rounding_changes_only_what_is_nearly_a_tie(seed: int, temperature: float) -> None:
    error = 1e-4
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(1, 4096, generator=generator)
    rounded = logits + error * (2 * torch.rand(1, 4096, generator=generator) - 1)
    draws, params = RandomStream(seed, 0).draw(4096), SamplingParams(temperature=temperature)
    first = sample(logits.clone(), [[]], [params], [draws])
    second = sample(rounded, [[]], [params], [draws])
    times = -np.log1p(-draws)
    best = (logits[0] - temperature * torch.from_numpy(times).log()).topk(2).values
    assert first == second or best[0] - best[1] <= 2.1 * error


SEEDS = st.integers(-(2**63), 2**63 - 1)


@given(st.tuples(SEEDS, st.integers(0, 63)), st.tuples(SEEDS, st.integers(0, 63)))
def test_each_seed_and_choice_has_a_stream_of_its_own(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    draws, again, others = (RandomStream(*pair).draw(4) for pair in (one, one, other))
    assert np.array_equal(draws, again)
    assert np.array_equal(draws, others) is (one == other)


@pytest.mark.parametrize("seed", [0, 1, 5, 2**31, 2**62])
def test_streams_do_not_meet_by_arithmetic(seed: int) -> None:
    related = [(seed + step, index) for step in (-1, 0, 1) for index in range(4)]
    related += [(-seed - 1, 0), (-seed - 1, 1), (seed + 2**32, 0), (seed ^ 2**63, 0)]
    firsts = {float(RandomStream(*pair).draw(1)[0]) for pair in related}
    assert len(firsts) == len(set(related))
