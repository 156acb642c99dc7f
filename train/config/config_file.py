"""Training configurations as TOML files, and single settings on the command line."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from nothing_gpt.errors import UserError
from nothing_gpt.show import FormatName
from train.config.training_config import TrainingConfig

Kind = TypeVar("Kind")

_SETTINGS = {field.name: field for field in fields(TrainingConfig)}


@dataclass(frozen=True, slots=True)
class ReportedLoss:
    """A held-out loss from the reference's report, in nats a token, and the epoch it is from."""

    epoch: float
    loss: float


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a TOML file of a profile, a preset or a finished run says.

    Attributes:
        settings: Fields of `TrainingConfig`; those that are missing keep their values.
        base: The base, as `--base` takes it.
        format: The prompt format of the examples; None is the show's own.
        gpu: The GPU that it was made for, as Modal names it.
        reported: Losses that the reference reports of it.
    """

    settings: dict[str, Any]
    base: str | None = None
    format: FormatName | None = None
    gpu: str | None = None
    reported: tuple[ReportedLoss, ...] = ()


_OTHER_KEYS = tuple(field.name for field in fields(ConfigFile) if field.name != "settings")


def read_config_file(path: Path) -> ConfigFile:
    """Read a configuration file.

    Raises:
        UserError: it is missing, is not TOML, or has an unknown name or a value of a wrong type.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise UserError(f"{path}: not valid TOML ({error})") from None
    settings = {key: value for key, value in values.items() if key not in _OTHER_KEYS}
    others = {key: value for key, value in values.items() if key in _OTHER_KEYS}
    apply_settings(TrainingConfig(), settings, str(path))
    return _validate(ConfigFile, {"settings": settings, **others}, str(path))


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Read settings from `name=value` texts; a value is TOML, a bare word, or `none` for unset.

    Raises:
        UserError: a text has no `=`.
    """
    settings: dict[str, Any] = {}
    for text in assignments:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise UserError(f"--set {text}: write it as NAME=VALUE, as in learning_rate=1e-4")
        settings[name] = _parse_value(name, value)
    return settings


def _parse_value(name: str, text: str) -> Any:
    setting = _SETTINGS.get(name)
    if text == "none" and setting and setting.default is None:
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def apply_settings(
    config: TrainingConfig, settings: Mapping[str, Any], where: str
) -> TrainingConfig:
    """Return the configuration with some of its fields replaced.

    Args:
        config: The configuration.
        settings: New values by field name.
        where: Where they are from, for error messages.

    Raises:
        UserError: there is no such field, or the value does not suit it.
    """
    for name in settings:
        if name not in _SETTINGS:
            near = get_close_matches(name, _SETTINGS, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(_SETTINGS)}"
            raise UserError(f"{where}: no setting '{name}'; {hint}")
    return _validate(TrainingConfig, asdict(config) | dict(settings), where)


def _validate(kind: type[Kind], values: Mapping[str, Any], where: str) -> Kind:
    from pydantic import TypeAdapter, ValidationError

    try:
        # As JSON, because strict checks of Python values refuse a list for a tuple.
        return TypeAdapter(kind).validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        reason = first["msg"][:1].lower() + first["msg"][1:]
        raise UserError(f"{where}: {name} = {first['input']!r}: {reason}") from None


def render_config(config: TrainingConfig, base: str, format_name: FormatName) -> str:
    """Return a run's configuration as the text of a file that repeats it, without unset fields."""
    values = {"base": base, "format": format_name, **asdict(config)}
    lines = [f"{name} = {json.dumps(v)}" for name, v in values.items() if v is not None]
    return "\n".join(lines) + "\n"


def summarize_config(config: TrainingConfig) -> str:
    """Return all settings in one line, as `--set` takes them."""
    return " ".join(f"{name}={_format(value)}" for name, value in asdict(config).items())


def _format(value: Any) -> str:
    if isinstance(value, bool | tuple):
        return json.dumps(value, separators=(",", ":"))
    return "none" if value is None else str(value)
