"""What the middleware needs to know, and how it reaches a vLLM process."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from serve.models.served_models import ServedModels

SETTINGS_VARIABLE = "NOTHING_GPT_GATE"
"""Environment variable with the settings, for middleware that vLLM loads by its import path."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The served models and the limit on requests.

    Attributes:
        base: The base's model name.
        location: Its folder, or its id on the hub.
        revision: Its revision on the hub, if it is known.
        adapters: The folder of each adapter, by model name.
        max_requests: Requests that can be active at once, waiting ones included.
        origins: Origins of pages that may read answers.
    """

    base: str
    location: str
    revision: str | None
    adapters: dict[str, str]
    max_requests: int
    origins: tuple[str, ...] = ()

    @classmethod
    def for_models(
        cls, models: ServedModels, max_requests: int, origins: Sequence[str] = ()
    ) -> "GatewaySettings":
        """Make the settings for a set of served models."""
        adapters = {name: str(adapter.path) for name, adapter in models.adapters.items()}
        return cls(
            models.base,
            models.location,
            models.revision,
            adapters,
            max_requests,
            tuple(origins),
        )

    def to_environment(self) -> dict[str, str]:
        """Return the environment variable that `from_environment` reads."""
        return {SETTINGS_VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls) -> "GatewaySettings":
        """Read the settings from the environment."""
        return cls(**json.loads(os.environ[SETTINGS_VARIABLE]))
