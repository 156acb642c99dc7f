"""The run of a model: what it writes after some windows, in a folder of its own."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from evaluation.generation.endpoint import Endpoint, ServedModel
from evaluation.generation.record import (
    LOSSES_FILE,
    SCENES_FILE,
    RunDescription,
    Split,
    fingerprint_windows,
    write_description,
)
from evaluation.generation.scenes import SCENES, Writing
from evaluation.passages import Window
from nothing_gpt.cast_lock import CastLock
from nothing_gpt.files import fingerprint, locked_folder
from nothing_gpt.show import Show
from nothing_gpt.workspace import Workspace

_LOCKED_LINES = 40
"""Most lines under the cast lock: more than the tokens of a scene allow."""


@dataclass(frozen=True, slots=True)
class EvaluationJob:
    """What to evaluate, and how.

    Attributes:
        models: One, or two that are compared, each with the address of its server.
        sampling: Settings in place of those of the show; None leaves one as it is.
    """

    show: Show
    models: tuple[tuple[str, str], ...]
    scenes: int = SCENES
    writers: int = 8
    sampling: Mapping[str, float | None] = field(default_factory=dict)
    cast_lock: bool = False
    fresh: bool = False


@contextmanager
def open_run(
    job: EvaluationJob,
    endpoint: Endpoint,
    model: ServedModel,
    windows: Sequence[Window],
    split: Split,
    workspace: Workspace,
) -> Iterator[Writing]:
    """Open the folder of what a model writes after some windows, to go on there.

    Each model, sampling and set of windows has a folder of its own.

    Raises:
        UserError: another evaluation writes there.
    """
    show = job.show

    def lock(window: Window) -> Mapping[str, Any]:
        cast = (*show.names, *(line.speaker for line in window.context))
        return CastLock(cast, _LOCKED_LINES).as_extra_body() if job.cast_lock else {}

    state = fingerprint(
        {
            "model": [model.name, dict(model.description)],
            # Without a description, only the address tells servers apart.
            "server": "" if model.description else endpoint.base_url,
            "generation": asdict(model.generation),
            "requests": [[window.messages, lock(window)] for window in windows],
        }
    )
    run = f"{re.sub(r'[^A-Za-z0-9_.-]', '-', model.name)}-{state[:8]}"
    folder = workspace.evaluation(show.name, run)
    with locked_folder(folder, "another evaluation writes here"):
        if job.fresh:
            for name in (SCENES_FILE, LOSSES_FILE):
                (folder / name).unlink(missing_ok=True)
        prompts = fingerprint_windows(windows)
        made_by = RunDescription(model.name, model.format, model.generation, prompts, split)
        write_description(folder, made_by)
        yield Writing(endpoint, model, windows, folder, job.writers, lock)
