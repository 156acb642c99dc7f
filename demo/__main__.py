"""The command that opens the writers' room in front of an OpenAI-compatible server.

Run it with: python -m demo --base-url http://127.0.0.1:8000/v1
"""

import os
from typing import Annotated

import typer

from nothing_gpt.errors import reported_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    base_url: Annotated[
        str, typer.Option(help="The server's address; it mostly ends in /v1.")
    ] = "http://127.0.0.1:8000/v1",
    model: Annotated[
        str, typer.Option(help="The model to begin with; else the server's first adapter.")
    ] = "",
    show: Annotated[
        str, typer.Option(help="The show to begin with, for a model that brings none.")
    ] = "unclaimed",
    host: Annotated[str, typer.Option(help="The address to open the room at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="The port to open the room at.")
    ] = 7860,
    share: Annotated[
        bool, typer.Option("--share", help="Also make a public Gradio link.")
    ] = False,
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Also be an MCP server, for assistants and editors.")
    ] = False,
    tokens_per_request: Annotated[
        int, typer.Option(min=0, help="Most tokens of one request; 0 for no limit.")
    ] = 0,
    tokens_per_minute: Annotated[
        int, typer.Option(min=0, help="Most tokens that one visitor has written in a minute.")
    ] = 0,
) -> None:
    """Open the writers' room. The server's key, if it needs one, is read from OPENAI_API_KEY.

    With NAME:PASSWORD in NOTHING_GPT_ROOM_LOGIN the room asks for both.
    """
    from demo.generation.client import ModelClient
    from demo.launch import AccessOptions, open_room, read_login
    from demo.session.rate_limit import RateLimits
    from nothing_gpt.show import load_show, show_names

    client = ModelClient(base_url, os.environ.get("OPENAI_API_KEY") or "none")
    shows = {each.name: each for each in map(load_show, dict.fromkeys([show, *show_names()]))}
    first_show = next(iter(shows))
    limits = RateLimits(tokens_per_request=tokens_per_request, tokens_per_minute=tokens_per_minute)
    access = AccessOptions(share, mcp, read_login(os.environ), limits)
    open_room(client, shows, show=first_show, model=model, host=host, port=port, access=access)


if __name__ == "__main__":
    with reported_errors():
        app()
