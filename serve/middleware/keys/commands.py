"""Adds, lists and revokes API keys in the file that NOTHING_GPT_KEYS names.

A running server reads the file again within a second.
"""

from pathlib import Path
from typing import Annotated

import typer

from serve.middleware.keys.api_keys import KEY_FILE_VARIABLE
from serve.middleware.keys.key_file import add_key, list_keys, revoke_key

app = typer.Typer(add_completion=False, help="Add, list and revoke API keys, without a restart.")

_File = Annotated[
    Path, typer.Option("--file", help="The file with the keys.", envvar=KEY_FILE_VARIABLE)
]
_Name = Annotated[str, typer.Argument(help="Whose key; the logs and metrics show it.")]
_Limit = Annotated[int | None, typer.Option(min=1, show_default="none")]


@app.command()
def add(
    name: _Name,
    file: _File,
    requests_per_minute: _Limit = None,
    tokens_per_minute: _Limit = None,
    requests_at_once: _Limit = None,
) -> None:
    """Print a new key. The file gets its SHA-256 only, so the key cannot be shown again."""
    limits = {
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "requests_at_once": requests_at_once,
    }
    print(add_key(file, name, {limit: n for limit, n in limits.items() if n is not None}))


@app.command("list")
def list_names(file: _File) -> None:
    """Print the names of the keys, with their limits."""
    for key in list_keys(file):
        limits = ("requests_per_minute", "tokens_per_minute", "requests_at_once")
        given = {limit: getattr(key, limit) for limit in limits if getattr(key, limit)}
        text = ", ".join(f"{limit} {value}" for limit, value in given.items())
        print(f"{key.name}: {text or 'no limits'}")


@app.command()
def revoke(name: _Name, file: _File) -> None:
    """Take a key away; within a second it opens nothing any more."""
    revoke_key(file, name)
