"""The process that tries constraints: each one in a child of its own, with bounds.

    python -m serve.middleware.constraint.trial_process BASE [REVISION]

Its standard input is a socket, at which it receives a connection for each constraint. It forks for
each, so the tokenizer is loaded once, and a constraint that is too slow or too large, or one that
crashes the compiler, ends its own child only.
"""

import gc
import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serve.middleware.constraint.grammar import compile_grammar, make_grammar

if TYPE_CHECKING:
    from llguidance import LLTokenizer

CPU_SECONDS = 3
"""What one constraint may take. A cast lock of 200 names takes a few milliseconds."""

DEADLINE = 10
"""Seconds after which a child is ended in any case, also on a busy machine."""

MEMORY = 2**30
"""Bytes that a child may have in all; the tokenizer of Llama 3 takes about a tenth of it."""

STARTED = b" "
"""What a child sends before it begins. What follows is the error as JSON, or nothing if it was
ended."""

_STACK = 4 * 2**20
"""Bytes of stack, half of what an engine's threads have: what is nested too deeply ends here."""


def main() -> None:
    """Load the tokenizer, and try constraints until the other end is closed."""
    tokenizer = load_tokenizer(*sys.argv[1:])
    # Nobody waits for the children, and the garbage collector does not touch their pages.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()
    with socket.socket(fileno=sys.stdin.fileno()) as requests:
        while True:
            data, descriptors, _, _ = socket.recv_fds(requests, 1, 1)
            if not data:
                return
            with socket.socket(fileno=descriptors[0]) as connection:
                if os.fork() == 0:
                    _answer(connection, tokenizer)


def load_tokenizer(base: str, revision: str | None = None) -> "LLTokenizer":
    """Load the tokenizer of a base: a folder, or a model of the hub that an engine has fetched.

    Transformers converts one that is in older files. It is not imported for others, because it
    takes 2 s and 200 MB.
    """
    from llguidance import LLTokenizer

    file = _find_tokenizer(base, revision)
    if file is not None:
        return LLTokenizer(file.read_text(encoding="utf-8"))
    from transformers import AutoTokenizer

    converted: Any = AutoTokenizer.from_pretrained(base, revision=revision)
    return LLTokenizer(converted.backend_tokenizer.to_str())


def _find_tokenizer(base: str, revision: str | None) -> Path | None:
    """Find a base's tokenizer.json; None if it has none."""
    if Path(base).is_dir():
        file = Path(base) / "tokenizer.json"
        return file if file.is_file() else None
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return Path(hf_hub_download(base, "tokenizer.json", revision=revision))
    except EntryNotFoundError:
        return None


def _answer(connection: socket.socket, tokenizer: "LLTokenizer") -> None:
    """Read a constraint, try it, and send what is wrong with it; then end this process."""
    signal.alarm(DEADLINE)
    for kind, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_STACK, _STACK),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    os.nice(10)
    # A compiler that crashes may print the constraint, which is somebody's text.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    with connection, connection.makefile("rb") as file:
        constraint = json.load(file)
        connection.sendall(STARTED)
        connection.sendall(json.dumps(try_constraint(tokenizer, constraint)).encode())
    os._exit(0)


def try_constraint(tokenizer: "LLTokenizer", constraint: dict[str, Any]) -> str:
    """Compile each kind of a constraint; return what is wrong, or an empty text."""
    try:
        for kind, value in constraint.items():
            compile_grammar(tokenizer, make_grammar(kind, value))
    except Exception as error:  # noqa: BLE001 - whoever sent the constraint gets it
        return str(error).split("\n", 1)[0] or type(error).__name__
    return ""


if __name__ == "__main__":
    main()
