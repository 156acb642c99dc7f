"""One table read, from the kept scenes to the result."""

from collections.abc import Sequence
from contextlib import suppress

from evaluation.preference.kept_scenes import read_kept_scenes
from evaluation.preference.pair import plan_pairs
from evaluation.table_read.server import bind_port, serve_pages
from evaluation.table_read.table_read import TableRead
from nothing_gpt.admission import LOOPBACK
from nothing_gpt.files import locked_folder
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace


def hold_table_read(show: Show, names: Sequence[str], workspace: Workspace, port: int) -> None:
    """Show pairs of kept scenes until Ctrl-C, and print what the votes say.

    Raises:
        UserError: there are no such scenes, another table read of the show runs, or the port is
            taken.
    """
    found = read_kept_scenes(show, names, workspace)
    folder = workspace.votes(show.name)
    with locked_folder(folder, "another table read keeps its votes here"):
        labels = [each.label for each in found]
        table_read = TableRead(show.name, labels, plan_pairs(found), folder)
        with bind_port(port) as listener, suppress(KeyboardInterrupt):
            address = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
            print(f"{len(table_read.pairs)} pairs of {' and '.join(labels)}: {address}")
            print(
                "Ctrl-C ends the read; votes are kept, and it goes on where it stopped", flush=True
            )
            serve_pages(table_read, listener)
        for name, words in table_read.summarize().describe():
            print(f"{name}: {words}")
        if table_read.votes:
            print(f"votes: {table_read.path}")
