"""Pairs of a scene that fails a gate and one that does not, as votes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from evaluation.generation.endpoint import ServedModel
from evaluation.generation.record import SceneRecord
from evaluation.passages import Window
from nothing_gpt.files import fingerprint
from nothing_gpt.line import Line, render_line
from nothing_gpt.prompt import Message
from nothing_gpt.records import encode
from nothing_gpt.votes.vote import Vote, Writer

_PER_CONTEXT = 2
"""Pairs of one context at most: training learns from no more."""

_LONGER = 1.25
"""How much longer one text of a pair can be. Long scenes fail gates more often, so that pairs of
any length would teach to write short ones."""


@dataclass(frozen=True, slots=True)
class JudgedScene:
    """A scene, and the gates that it fails."""

    record: SceneRecord
    failed: tuple[str, ...]

    @property
    def text(self) -> str:
        """What was written, without empty lines and a last line that was cut off."""
        lines = self.record.list_lines()
        return "\n".join(render_line(x) if isinstance(x, Line) else x.text for x in lines)


def pair_scenes(
    show: str, model: ServedModel, window: Window, scenes: Sequence[JudgedScene]
) -> Iterator[Vote]:
    """Yield votes for scenes without a defect, against scenes of the same context with one.

    Texts of the most similar length come first, and each is in one pair only.
    """
    texts = {scene: text for scene in scenes if (text := scene.text)}
    sound = [scene for scene in texts if not scene.failed]
    faulty = [scene for scene in texts if scene.failed]

    def compare_lengths(pair: tuple[JudgedScene, JudgedScene]) -> float:
        shorter, longer = sorted(len(texts[scene]) for scene in pair)
        return longer / shorter

    used: set[JudgedScene] = set()
    for pair in sorted(product(sound, faulty), key=compare_lengths):
        if compare_lengths(pair) > _LONGER or len(used) == 2 * _PER_CONTEXT:
            return
        if used.isdisjoint(pair):
            used.update(pair)
            yield _make_vote(show, model, window, *pair)


def _make_vote(
    show: str, model: ServedModel, window: Window, chosen: JudgedScene, rejected: JudgedScene
) -> Vote:
    settings = encode(model.generation)
    texts = chosen.text, rejected.text
    return Vote(
        prompt=window.messages,
        chosen=(_answer(texts[0]),),
        rejected=(_answer(texts[1]),),
        kind="gate",
        show=show,
        chosen_by=Writer(model.name, chosen.record.seed),
        rejected_by=Writer(model.name, rejected.record.seed),
        chosen_settings=settings,
        rejected_settings=settings,
        format=model.format,
        episode=window.episode,
        # The same scenes make the same votes, so that a tuning by them has nothing to do again.
        id=fingerprint([model.name, window.messages, texts])[:32],
    )


def _answer(text: str) -> Message:
    return {"role": "assistant", "content": text}
