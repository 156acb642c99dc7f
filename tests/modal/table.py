"""What modal would create, one column for each function, read from modal's own `info()`.

python -m tests.modal.table
"""

import importlib
import warnings
from typing import Any

STAGES = ("data_prep", "train", "serve", "demo", "evaluation")


def main() -> None:
    """Print the table of docs/modal.md."""
    print(render_table())


def render_table() -> str:
    """Give the table in Markdown."""
    columns = [column for stage in STAGES for column in _describe(stage)]
    rows = [list(row) for row in zip(*columns, strict=True)]
    rows.insert(1, ["---"] * len(rows[0]))
    titles = ["", "---", "app", "GPU", "CPU, memory", "volume", "secrets", "time-out", "retries"]
    titles += ["requests at once", "a container of its own for each", "answers HTTP"]
    return "\n".join(
        "| " + " | ".join([title, *row]) + " |" for title, row in zip(titles, rows, strict=True)
    )


def _describe(stage: str) -> list[list[str]]:
    app = importlib.import_module(stage).app
    with warnings.catch_warnings():
        # Its successor asks Modal; here nothing is deployed.
        warnings.simplefilter("ignore")
        functions = dict(app.registered_functions)
    return [
        [name.removesuffix(".*"), app.name, *_cells(each.info())]
        for name, each in functions.items()
    ]


def _cells(info: Any) -> list[str]:
    (volume,) = info.volumes.items()
    asked = [name.split("'")[1] for name in info.secrets if "from_name" in name]
    at_once = info.concurrency_info
    times = f"{_minutes(info.timeout)}; start {_minutes(info.startup_timeout)}"
    return [
        ", ".join(f"{count} x {kind}" for kind, count in info.gpus) or "-",
        f"{info.cpu}, {info.memory_mib / 1024:g} GiB" if info.cpu else "Modal's least",
        f"{volume[1].name} at {volume[0]}",
        ", ".join(asked) or "-",
        times if info.startup_timeout != info.timeout else _minutes(info.timeout),
        str(info.max_retries or 0),
        str(at_once.max_inputs if at_once else 1),
        "yes" if info.single_use_containers else "no",
        "yes" if info.web_info or info.method_details else "no",
    ]


def _minutes(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds >= 3600 else f"{seconds // 60} min"


if __name__ == "__main__":
    main()
