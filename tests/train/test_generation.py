"""Answers inside a training: the sampling of a server, penalties included."""

from dataclasses import replace

import pytest

from nothing_gpt.show import Generation
from tests.train.base_model.families import FAMILIES, write_base
from train.base_model.loading import LoadedBase, load_base
from train.generation import write_answers

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
