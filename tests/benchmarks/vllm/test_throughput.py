from pathlib import Path

import pytest

from benchmarks.endpoint.load import LoadResult, summarise
from benchmarks.vllm import rows as serve_rows
from benchmarks.vllm import shapes as serve_shapes


def test_tokenizer_has_as_many_tokens_as_the_model_and_spells_any_text(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    serve_shapes.write_tokenizer(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    text = "[MR. PIKE] Sheep? 羊\n"
    assert len(tokenizer) == serve_shapes.VOCABULARY
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_adapter_covers_all_seven_projections_of_every_layer(tmp_path: Path) -> None:
    from safetensors import safe_open

    shape = serve_shapes.SHAPE | {"num_hidden_layers": 2, "intermediate_size": 64}
    serve_shapes.write_adapter(tmp_path, shape)
    with safe_open(tmp_path / "adapter_model.safetensors", framework="pt") as file:
        names = list(file.keys())
        assert len(names) == 2 * 7 * 2
        k = file.get_slice("base_model.model.model.layers.0.self_attn.k_proj.lora_B.weight")
        assert k.get_shape() == [8 * 128, 32]


@pytest.mark.parametrize("name", serve_rows.ROWS)
def test_rows_name_weights_that_are_made_and_an_adapter_where_they_use_one(name: str) -> None:
    row = serve_rows.ROWS[name]
    arguments = serve_rows.list_arguments(row, Path("/models"), 0.157)
    assert row.weights in serve_shapes.WEIGHTS
    assert row.adapter == ("--enable-lora" in arguments)
    assert arguments.count("--dtype") == 1


def test_figures_count_the_whole_time_and_the_wait_for_the_first_token() -> None:
    answers = [LoadResult(10.0, 10.05, 12.0, 100), LoadResult(10.0, 10.02, 14.0, 100)]
    figures = summarise(answers)
    assert figures["tokens_per_second"] == pytest.approx(50)
    assert figures["first_token_most_ms"] == pytest.approx(50)
