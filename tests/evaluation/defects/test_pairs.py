from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.defects.pairs import JudgedScene, pair_scenes
from evaluation.generation.endpoint import ServedModel
from evaluation.generation.record import SceneRecord
from evaluation.passages import Window
from nothing_gpt.prompt import Message
from nothing_gpt.show import Generation

MODEL = ServedModel("tiny", "script", Generation(), {}, None)
MESSAGES: tuple[Message, ...] = ({"role": "user", "content": "[DOT] Here."},)
WINDOW = Window("s01e01", MESSAGES, (), ())


def judge(sample: int, text: str, *, faulty: bool, finish: str = "stop") -> JudgedScene:
    return JudgedScene(SceneRecord(0, sample, text, finish, 9), ("loops",) if faulty else ())


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=8))
def test_a_pair_is_of_similar_length_and_no_text_is_in_two(
    written: list[tuple[int, bool]],
) -> None:
    scenes = [
        judge(sample, f"[DOT] {sample}{'x' * length}" if length else "", faulty=faulty)
        for sample, (length, faulty) in enumerate(written)
    ]
    votes = list(pair_scenes("tiny", MODEL, WINDOW, scenes))
    pairs = [(vote.chosen[0]["content"], vote.rejected[0]["content"]) for vote in votes]
    faulty = {scene.text: bool(scene.failed) for scene in scenes}
    assert len(set(chain(*pairs))) == 2 * len(pairs) <= 4
    for chosen, rejected in pairs:
        assert (faulty[chosen], faulty[rejected]) == (False, True)
        assert max(len(chosen), len(rejected)) <= 1.25 * min(len(chosen), len(rejected))
    assert list(pair_scenes("tiny", MODEL, WINDOW, scenes)) == votes


def test_a_vote_says_what_was_written_and_where_it_comes_from() -> None:
    text = "[DOT] Well.\n\nFelix: What?\n[FELIX] I nev"
    scenes = [
        judge(0, "[DOT] Well.\n[FELIX] What?", faulty=False),
        judge(1, text, faulty=True, finish="length"),
    ]
    (vote,) = pair_scenes("tiny", MODEL, WINDOW, scenes)
    assert vote.rejected[0]["content"] == "[DOT] Well.\nFelix: What?"
    assert (vote.kind, vote.show, vote.format, vote.episode) == (
        "gate",
        "tiny",
        "script",
        "s01e01",
    )
    assert vote.chosen_by.seed != vote.rejected_by.seed
    assert vote.first_won is None
