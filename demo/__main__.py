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
    name: Annotated[
        list[str] | None,
        typer.Option(help="A further name of the room, such as that of a proxy before it."),
    ] = None,
    tokens_per_request: Annotated[
        int | None, typer.Option(min=0, help="Most tokens of one request; 0 for no limit.")
    ] = None,
    tokens_per_minute: Annotated[
        int | None,
        typer.Option(min=0, help="Most tokens that one visitor has written in a minute."),
    ] = None,
    requests_at_once: Annotated[
        int | None,
        typer.Option(min=0, help="Most continuations written for one visitor at once."),
    ] = None,
) -> None:
    """Open the writers' room. The server's key, if it needs one, is read from OPENAI_API_KEY.

    With NAME:PASSWORD in NOTHING_GPT_ROOM_LOGIN the room asks for both. A room that others reach,
    by --share or --host, must have a login, or NOTHING_GPT_OPEN=1; and it has limits, unless they
    are set here.
    """
    from demo.access.options import AccessOptions, read_login
    from demo.generation.client import ModelClient
    from demo.launch import open_room
    from nothing_gpt.admission import is_open
    from nothing_gpt.show import load_show, show_names

    client = ModelClient(base_url, os.environ.get("OPENAI_API_KEY") or "none")
    shows = {each.name: each for each in map(load_show, dict.fromkeys([show, *show_names()]))}
    first_show = next(iter(shows))
    given = {
        "tokens_per_request": tokens_per_request,
        "tokens_per_minute": tokens_per_minute,
        "requests_at_once": requests_at_once,
    }
    access = AccessOptions(
        share=share,
        mcp=mcp,
        login=read_login(os.environ),
        is_open=is_open(os.environ),
        limits={limit: value for limit, value in given.items() if value is not None},
        names=tuple(name or ()),
    )
    open_room(client, shows, show=first_show, model=model, host=host, port=port, access=access)


if __name__ == "__main__":
    with reported_errors():
        app()
