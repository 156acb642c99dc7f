"""The secrets that the Modal apps read."""

from dataclasses import dataclass

import modal


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


def endpoint_secrets(*, is_open: bool) -> list[modal.Secret]:
    """Return the secret with the endpoint's API keys; none for an endpoint without keys."""
    return [] if is_open else [API_KEY.to_secret()]
