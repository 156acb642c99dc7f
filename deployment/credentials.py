"""The secrets that the Modal apps read."""

import os
from dataclasses import dataclass

import modal

from nothing_gpt.admission import LOGIN_VARIABLE, is_open


@dataclass(frozen=True, slots=True)
class Credentials:
    """A secret on Modal and the one environment variable that it must set."""

    name: str
    key: str

    @property
    def command(self) -> str:
        """The command that creates the secret."""
        return f"modal secret create {self.name} {self.key}=..."

    def to_secret(self) -> modal.Secret:
        """Return Modal's secret. Modal refuses to start an app if it or its key is missing."""
        return modal.Secret.from_name(self.name, required_keys=[self.key])


HUGGING_FACE = Credentials("huggingface", "HF_TOKEN")
WANDB = Credentials("wandb", "WANDB_API_KEY")
KAGGLE = Credentials("kaggle", "KAGGLE_API_TOKEN")
API_KEY = Credentials("nothing-gpt-api-key", "NOTHING_GPT_API_KEY")
ROOM_LOGIN = Credentials("nothing-gpt-room-login", LOGIN_VARIABLE)


def access_secrets(*credentials: Credentials) -> list[modal.Secret]:
    """Return the secrets that keep strangers out; none if the apps are meant to be open."""
    return [] if is_open(os.environ) else [each.to_secret() for each in credentials]
