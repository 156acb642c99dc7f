import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nothing_gpt.errors import UserError
from nothing_gpt.files import write_json
from serve.models.served_models import ServedAdapter, ServedModels
from serve.vllm.arguments import VllmSettings, build_arguments, build_command, build_environment
from tests.serve.conftest import MANIFEST

ALONE = ServedModels("org/base", "org/base", "cafe", {})


Make = Callable[..., VllmSettings]


@pytest.fixture
def settings(tmp_path: Path) -> Make:
    def make(**ranks: int) -> VllmSettings:
        adapters = {
            name: ServedAdapter(tmp_path / name, replace(MANIFEST, rank=rank))
            for name, rank in ranks.items()
        }
        for adapter in adapters.values():
            write_json(adapter.path / "adapter_config.json", {"target_modules": ["q_proj"]})
        models = replace(ALONE, adapters=adapters)
        return VllmSettings(models, Path("/volume/t.jinja"), Path("/volume/cache"), port=9000)

    return make


def value(arguments: list[str], option: str) -> str:
    return arguments[arguments.index(option) + 1]


def test_adapters_are_named_with_their_base(settings: Make, tmp_path: Path) -> None:
    arguments = build_arguments(settings(one=32, two=8))
    modules = [json.loads(m) for m in arguments[arguments.index("--lora-modules") + 1 :]]
    assert modules == [
        {"name": name, "path": str(tmp_path / name), "base_model_name": "org/base"}
        for name in ("one", "two")
    ]
    assert value(arguments, "--max-loras") == "2"


@pytest.mark.parametrize(("rank", "room"), [(4, 8), (8, 8), (24, 32), (300, 320), (512, 512)])
def test_ranks_are_rounded_up_to_what_vllm_has(settings: Make, rank: int, room: int) -> None:
    assert value(build_arguments(settings(small=1, large=rank)), "--max-lora-rank") == str(room)


def test_a_rank_that_vllm_cannot_serve_is_refused_by_name(settings: Make) -> None:
    with pytest.raises(UserError, match="'huge' has rank 513"):
        build_arguments(settings(small=8, huge=513))


def test_a_base_alone_needs_no_adapter_support(settings: Make) -> None:
    assert not any("lora" in part for part in build_arguments(settings()))


def test_the_base_is_loaded_in_the_state_that_training_saw(settings: Make) -> None:
    arguments = build_arguments(settings(one=8))
    assert value(arguments, "--revision") == value(arguments, "--tokenizer-revision") == "cafe"
    local = replace(settings(), models=replace(ALONE, location="/volume/b", revision=None))
    assert "--revision" not in build_arguments(local)


def test_limits_are_passed_on(settings: Make) -> None:
    arguments = build_arguments(replace(settings(), max_length=2048, max_sequences=12))
    assert value(arguments, "--max-model-len") == "2048"
    assert value(arguments, "--max-num-seqs") == "12"


def test_a_step_of_prompts_is_replayed_whole(settings: Make) -> None:
    arguments = build_arguments(settings(one=8))
    sizes = json.loads(value(arguments, "--compilation-config"))["cudagraph_capture_sizes"]
    assert max(sizes) == int(value(arguments, "--max-num-batched-tokens"))
    many = build_arguments(replace(settings(), max_sequences=4096))
    assert value(many, "--max-num-batched-tokens") == "4096"


def test_keys_are_in_no_command_line(settings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTHING_GPT_API_KEY", "hush")
    assert "hush" not in " ".join(build_command("python", settings(one=8)))


def test_lora_is_where_some_adapter_is_trained(settings: Make, tmp_path: Path) -> None:
    given = settings(one=8, two=8)
    write_json(tmp_path / "two" / "adapter_config.json", {"target_modules": ["up_proj", "q_proj"]})
    arguments = build_arguments(given)
    first = arguments.index("--lora-target-modules") + 1
    assert arguments[first : first + 2] == ["q_proj", "up_proj"]
    assert arguments[first + 2].startswith("--")


def test_a_second_start_finds_what_the_first_compiled(settings: Make) -> None:
    variables = build_environment(settings())
    assert variables["TRITON_CACHE_DIR"].startswith("/volume/cache/")
    assert variables["VLLM_TUNED_CONFIG_FOLDER"].startswith("/volume/cache/")


def test_torchs_caches_of_products_are_bounded(settings: Make) -> None:
    assert build_environment(settings())["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "64"
