"""A short training of the benchmark learns, and an untouched one does not."""

from pathlib import Path

from benchmarks.smollm2.recipes import Recipe, train_recipe
from tests.train.base_model.tiny_gguf import write_gguf
from train.base_model.gguf_import import import_gguf
from train.data.chat_example import ChatExample


def example(number: int) -> ChatExample:
    script = f"[DOT] Line {number} of many.\n[FELIX] And {number} more."
    return {
        "prompt": [{"role": "user", "content": "[DOT] Go on."}],
        "completion": [{"role": "assistant", "content": script}],
    }


def test_a_recipe_learns(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf", context=512)
    import_gguf(tmp_path / "tiny.gguf", tmp_path / "base")
    examples = [example(number) for number in range(12)]
    held_out = [example(100)]
    base = str(tmp_path / "base")
    untouched = train_recipe(Recipe(tokens=0), base, examples, held_out)
    recipe = Recipe(tokens=1_000, rate=5e-3, rank=4, alpha=4)
    steps, tokens, nats, bits = train_recipe(recipe, base, examples, held_out)
    assert untouched[:2] == (0, 0)
    assert steps > 5
    assert 1_000 <= tokens < 1_200
    assert nats < untouched[2]
    assert bits < untouched[3]
