"""The command that runs all four stages on this machine: `python -m nothing_gpt`.

It ends with the writers' room. `make demo` installs the requirements, then runs it.
"""

import argparse

from nothing_gpt.errors import reported_errors
from nothing_gpt.local_stack.stages import StackOptions, run_stages
from nothing_gpt.workspace import Workspace


def main() -> None:
    """Parse the command line and run the stages."""
    parser = argparse.ArgumentParser(prog="python -m nothing_gpt", description=__doc__)
    parser.add_argument("--show", help="a show's name or TOML file; default: unclaimed")
    parser.add_argument(
        "--source", help="scripts; without --show, a show file is drafted from them first"
    )
    parser.add_argument(
        "--base", default="smollm2", help="smollm2, pocket, a hub id, a folder or a GGUF file"
    )
    parser.add_argument("--port", type=int, default=7860, help="where the room opens")
    parser.add_argument("--share", action="store_true", help="also make a public Gradio link")
    options = parser.parse_args()
    stack = StackOptions(options.show, options.port, options.source, options.base, options.share)
    with reported_errors():
        run_stages(stack, Workspace.default())


if __name__ == "__main__":
    main()
