from dataclasses import replace

import pytest

from nothing_gpt.errors import UserError
from train.config.presets import PRESETS, at_pocket_size, load_preset
from train.config.profiles import load_profile
from train.config.training_config import TrainingConfig, list_warnings


def test_the_last_phase_is_the_reference_and_nothing_is_said_against_it() -> None:
    assert PRESETS["phase4"].config == replace(TrainingConfig(), quantize="nf4")
    assert list_warnings(PRESETS["phase4"].config) == []
    assert at_pocket_size(PRESETS["phase4"]) == load_profile("pocket")


def test_what_the_report_left_behind_is_warned_of() -> None:
    def warnings_of(name: str) -> str:
        return " ".join(list_warnings(PRESETS[name].config))

    assert "alpha/r 2" in warnings_of("phase3")
    assert "r 64 gained 0.005" in warnings_of("phase2-r64")


@pytest.mark.parametrize("name", PRESETS)
def test_a_pocket_run_keeps_the_method(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == name
    small = at_pocket_size(preset)
    kept = ("rank", "alpha", "dropout", "weight_decay", "completion_only")
    assert all(getattr(small, key) == getattr(preset.config, key) for key in kept)
    bounded = ("max_steps", "learning_rate", "eval_interval", "max_eval_examples")
    assert all(getattr(small, key) == getattr(load_profile("pocket"), key) for key in bounded)
    assert small.max_length <= preset.config.max_length
    other = replace(preset, config=replace(preset.config, learning_rate=1.0, epochs=9.0))
    assert at_pocket_size(other) == small


def test_an_unknown_preset_is_named_with_those_there_are() -> None:
    with pytest.raises(UserError, match="no preset 'phase9'; there are phase1-r16, "):
        load_preset("phase9")
