"""The scenes and losses of one model: those that are there, and those that are still missing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.generation.endpoint import Endpoint, ServedModel
from evaluation.generation.record import (
    LOSSES_FILE,
    SCENES_FILE,
    SceneRecord,
    WindowLoss,
    read_losses,
    read_scenes,
)
from evaluation.passages import Key, Window
from evaluation.record_file import append_record
from evaluation.threads import run_in_threads
from nothing_gpt.errors import UserError
from nothing_gpt.line import Line
from nothing_gpt.progress.log import log_progress

SCENES = 300
"""Scenes for each model, unless fewer are asked for."""

LEAST_SAMPLES = 2
"""Samples of a window in a scorecard."""

_EARLY = 10
"""Scenes after which a model without a single line, or a server that cuts, is given up."""

_MOST_LOSSES = 60
"""Windows whose loss is measured: each takes three passes over a whole example."""


def choose_keys(windows: int, scenes: int, least_samples: int = LEAST_SAMPLES) -> list[Key]:
    """Choose windows and samples for so many scenes or a few more.

    If fewer windows are needed than there are, the chosen ones are spread evenly.
    """
    samples = max(least_samples, -(-scenes // windows))
    chosen = spread(windows, -(-scenes // samples))
    return [(number, sample) for sample in range(samples) for number in chosen]


def spread(windows: int, count: int) -> list[int]:
    """Choose the numbers of some windows, spread evenly."""
    count = min(windows, count)
    return [at * windows // count for at in range(count)]


@dataclass(frozen=True, slots=True)
class Writing:
    """The work of one model.

    Attributes:
        folder: Where its scenes and losses are kept.
        writers: Scenes that are written at the same time.
        constrain: Further fields of the requests' bodies, by window.
    """

    endpoint: Endpoint
    model: ServedModel
    windows: Sequence[Window]
    folder: Path
    writers: int
    constrain: Callable[[Window], Mapping[str, Any]]

    def write_scenes(self, keys: Sequence[Key]) -> list[SceneRecord]:
        """Return the scenes of these keys; write those that are not there yet.

        Raises:
            UserError: the server fails or cuts scenes, or the model writes no script lines.
        """
        found = {(scene.window, scene.sample): scene for scene in read_scenes(self.folder)}
        missing = [key for key in keys if key not in found]
        if len(found) >= _EARLY:
            check_scenes(list(found.values()), self.model)

        def write(key: Key) -> SceneRecord:
            window = self.windows[key[0]]
            return self.endpoint.write_scene(self.model, window, key, self.constrain(window))

        advance = log_progress(f"{self.model.name}: scenes", len(keys), len(keys) - len(missing))
        for scene in run_in_threads(write, missing, self.writers):
            append_record(self.folder / SCENES_FILE, scene)
            found[scene.window, scene.sample] = scene
            advance(f"{scene.tokens} tokens in the last one")
            if len(found) == _EARLY:
                check_scenes(list(found.values()), self.model)
        scenes = [found[key] for key in keys]
        check_scenes(scenes, self.model)
        return scenes

    def measure_losses(self) -> list[WindowLoss]:
        """Return the losses on the windows' real lines; none if the server does not give them."""
        numbers = spread(len(self.windows), _MOST_LOSSES)
        found = {loss.window: loss for loss in read_losses(self.folder)}
        missing = [number for number in numbers if number not in found]

        def measure(number: int) -> WindowLoss | None:
            return self.endpoint.measure_loss(self.model, self.windows[number], number)

        # The first one tells whether the server gives log-probabilities at all.
        done = len(numbers) - len(missing)
        advance = log_progress(f"{self.model.name}: losses", len(numbers), done)
        for batch in (missing[:1], missing[1:]):
            for loss in run_in_threads(measure, batch, self.writers):
                if loss is None and not found:
                    return []
                if loss is None:  # too long for the server, for example
                    continue
                append_record(self.folder / LOSSES_FILE, loss)
                found[loss.window] = loss
                advance(f"{loss.bits / loss.size:.3f} bits a byte in the last one")
        return [found[number] for number in numbers if number in found]


def check_scenes(scenes: Sequence[SceneRecord], model: ServedModel) -> None:
    """Refuse scenes that say nothing about a model.

    Raises:
        UserError: none has a script line, or the server cut most of them below the tokens asked.
    """
    asked = model.generation.max_tokens
    cut = [scene for scene in scenes if scene.finish == "length" and scene.tokens < asked]
    if 2 * len(cut) > len(scenes):
        raise UserError(
            f"the server cut {len(cut)} of {len(scenes)} scenes of '{model.name}', one of them "
            f"after {cut[0].tokens} of the {asked} tokens asked for; raise its limit of tokens or "
            "of context, and run again with --fresh"
        )
    lines = [line for scene in scenes for line in scene.list_lines()]
    if not any(isinstance(line, Line) for line in lines):
        first = next((scene.text.strip() for scene in scenes if scene.text.strip()), "")
        raise UserError(
            f"'{model.name}' wrote no script line, '[NAME] words', in {len(scenes)} scenes; one "
            f"begins {first[:60]!r}. Is it trained on this show, with the prompt format "
            f"'{model.format}'?"
        )
