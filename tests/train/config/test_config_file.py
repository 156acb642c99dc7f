"""Settings from files and from the command line."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nothing_gpt.errors import UserError
from train.config.config_file import (
    apply_settings,
    parse_assignments,
    read_config_file,
    render_config,
    summarize_config,
)
from train.config.profiles import FOLDER, load_profile
from train.config.run import resolve_config
from train.config.training_config import TrainingConfig

DEFAULTS = TrainingConfig()
configs = st.builds(
    TrainingConfig,
    rank=st.integers(1, 512),
    dropout=st.floats(0, 0.99),
    target_modules=st.lists(st.sampled_from(["q_proj", "v_proj"]), unique=True).map(tuple),
    learning_rate=st.floats(1e-9, 1),
    fused=st.booleans(),
    patience=st.none() | st.integers(1, 9),
    max_steps=st.none() | st.integers(1, 9),
    quantize=st.sampled_from(["auto", "nf4", "none"]),
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "config.toml"


@given(config=configs)
def test_a_written_file_gives_the_same_configuration(path: Path, config: TrainingConfig) -> None:
    path.write_text(render_config(config, "smollm2", "script"))
    file = read_config_file(path)
    assert apply_settings(DEFAULTS, file.settings, "") == config
    assert (file.base, file.format) == ("smollm2", "script")


@given(configs)
def test_the_printed_settings_can_be_given_back(config: TrainingConfig) -> None:
    settings = parse_assignments(summarize_config(config).split(" "))
    assert settings.keys() == asdict(config).keys()
    assert apply_settings(DEFAULTS, settings, "") == config


def test_the_reference_profile_spells_the_defaults_out() -> None:
    assert load_profile("reference") == DEFAULTS
    spelled = read_config_file(FOLDER / "reference.toml").settings
    unset = {name for name, value in asdict(DEFAULTS).items() if value is None}
    assert spelled.keys() == asdict(DEFAULTS).keys() - unset


def test_settings_win_over_a_file_and_a_file_over_a_profile(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("rank = 8\nlearning_rate = 1e-3\n")
    config = resolve_config(
        "some/hub-id", "fast", file=read_config_file(path), settings={"rank": 4}
    )
    assert config == replace(load_profile("fast"), rank=4, learning_rate=1e-3)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("lerning_rate=1e-4", "no setting 'lerning_rate'; did you mean 'learning_rate'?"),
        ("zzz=1", "no setting 'zzz'; there are rank, alpha, "),
        ("rank=0", "rank = 0: input should be greater than or equal to 1"),
        ("rank=true", "rank = True: input should be a valid integer"),
        ("rank=16.5", "rank = 16.5: input should be a valid integer"),
        ("rank=none", "rank = 'none': input should be a valid integer"),
        ("learning_rate=fast", "learning_rate = 'fast': input should be a valid number"),
        ("learning_rate=nan", "learning_rate = nan: input should be "),
        ("dropout=1.0", "dropout = 1.0: input should be less than 1"),
        ("quantize=int3", "quantize = 'int3': input should be 'auto', 'nf4' or 'none'"),
        ("rank", "--set rank: write it as NAME=VALUE, as in learning_rate=1e-4"),
    ],
)
def test_a_wrong_setting_is_refused_in_words(assignment: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        apply_settings(DEFAULTS, parse_assignments([assignment]), "--set")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rank = ", "not valid TOML"),
        ("rank = 'many'", "rank = 'many': input should be a valid integer"),
        ("format = 'novel'", "format = 'novel': "),
        ("learing_rate = 1", "did you mean 'learning_rate'?"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "run.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_config_file(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
