"""The profiles: configurations for a kind of base or machine, a TOML file each."""

from functools import cache
from pathlib import Path

from nothing_gpt.errors import UserError
from train.config.config_file import apply_settings, read_config_file
from train.config.training_config import TrainingConfig

FOLDER = Path(__file__).parent / "profiles"

POCKET = "pocket"
"""The only profile of the pocket base."""


@cache
def load_profile(name: str) -> TrainingConfig:
    """Return the configuration of a profile.

    Raises:
        UserError: there is no profile of this name.
    """
    known = sorted(path.stem for path in FOLDER.glob("*.toml"))
    if name not in known:
        raise UserError(f"no profile '{name}'; there are {', '.join(known)}")
    file = read_config_file(FOLDER / f"{name}.toml")
    return apply_settings(TrainingConfig(), file.settings, f"profile '{name}'")
