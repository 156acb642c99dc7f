"""The deployed endpoint, for the apps that call it."""

import os

import modal
import modal.exception

from deployment.credentials import API_KEY
from deployment.facts import ENDPOINT, SERVE
from nothing_gpt.errors import UserError


def find_endpoint() -> str:
    """Return the address of its API.

    Raises:
        UserError: it is not deployed.
    """
    try:
        url: str | None = modal.Cls.from_name(SERVE, ENDPOINT)().web.get_web_url()
    except modal.exception.NotFoundError:
        url = None
    if not url:
        raise UserError("the endpoint is not deployed; run 'modal deploy -m serve' first")
    return f"{url}/v1"


def read_own_key() -> str:
    """Return the first key of the secret, by which these apps call; "none" of an open endpoint."""
    return os.environ.get(API_KEY.key, "").split(",")[0].strip() or "none"
