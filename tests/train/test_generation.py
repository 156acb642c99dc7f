"""Answers inside a training: the sampling of a server, penalties included."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from nothing_gpt.show import Generation
from tests.train.base_model.families import FAMILIES, write_base
from train.base_model.loading import LoadedBase, load_base
from train.generation import Sampling, write_answers

PROMPTS = [[{"role": "user", "content": text}] for text in ("[ANN] Who is there?", "[BOB] Me.")]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> LoadedBase:
    folder = tmp_path_factory.mktemp("base") / "llama"
    write_base(FAMILIES["Llama"], folder)
    return load_base("llama", str(folder), quantize="none")


def count_repeats(base: LoadedBase, penalty: str, size: float) -> int:
    """Count how often answers have a character again that they have."""
    others = Generation(temperature=0.3, top_p=1.0, presence_penalty=0.0, max_tokens=60)
    settings = replace(others, **{penalty: size})  # type: ignore[arg-type]
    answers = write_answers(base.model, base.tokenizer, PROMPTS, settings, seed=0)
    texts = [each.text.replace("\ufffd", "") for each in answers]  # bytes that are no character
    return sum(len(text) - len(set(text)) for text in texts)


@pytest.mark.parametrize("penalty", ["frequency_penalty", "presence_penalty"])
def test_a_penalty_keeps_an_answer_from_repeating_itself(base: LoadedBase, penalty: str) -> None:
    assert count_repeats(base, penalty, 100.0) < 0.5 * count_repeats(base, penalty, 0.0)


def test_prompts_that_are_there_several_times_get_the_answers_of_one(base: LoadedBase) -> None:
    # In float32, where the likeliest token does not depend on the size of a batch.
    model = deepcopy(base.model).float()
    likeliest = Generation(temperature=1e-4, frequency_penalty=100.0, max_tokens=40)
    one, other = (
        write_answers(model, base.tokenizer, [prompt], likeliest, seed=0)[0] for prompt in PROMPTS
    )
    assert one != other
    repeated = [PROMPTS[1], PROMPTS[0], PROMPTS[1], PROMPTS[0]]
    answers = write_answers(model, base.tokenizer, repeated, likeliest, seed=0)
    assert answers == [other, one, other, one]


@pytest.mark.parametrize(
    ("top_p", "top_k", "wanted"),
    [
        (1.0, 0, [0.5, 0.25, 0.15, 0.1]),
        (0.74, 0, [2 / 3, 1 / 3, 0, 0]),
        (1.0, 3, [5 / 9, 5 / 18, 1 / 6, 0]),
        (0.8, 3, [2 / 3, 1 / 3, 0, 0]),
    ],
)
def test_tokens_are_drawn_by_their_probabilities(
    top_p: float, top_k: int, wanted: list[float]
) -> None:
    draws = 20_000
    logits = torch.tensor([0.5, 0.25, 0.15, 0.1]).log().mul(2).expand(draws, -1)
    torch.manual_seed(0)
    scores = Sampling(2.0, top_p, top_k)(torch.empty(draws, 0), logits)
    assert scores.isfinite().sum(1).eq(1).all()
    shares = scores.argmax(1).bincount(minlength=4) / draws
    assert shares.tolist() == pytest.approx(wanted, abs=0.015)


def test_a_nucleus_can_be_large() -> None:
    """Of 2,000 equal tokens half belong to the nucleus."""
    torch.manual_seed(0)
    scores = Sampling(1.0, 0.5, 0)(torch.empty(5000, 0), torch.zeros(5000, 2000))
    assert 950 < len(scores.argmax(1).unique()) <= 1001
