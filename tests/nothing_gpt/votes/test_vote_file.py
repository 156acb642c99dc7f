"""Files of votes: what is written is read, also what older rooms wrote, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from hypothesis import given
from hypothesis import strategies as st
from trl.data_utils import is_conversational

from nothing_gpt.errors import UserError
from nothing_gpt.prompt import Message
from nothing_gpt.votes.vote import Rating, Vote, Writer
from nothing_gpt.votes.vote_file import read_votes, write_votes

PROMPT: tuple[Message, ...] = (
    {"role": "system", "content": "Go on."},
    {"role": "user", "content": "[DOT] One."},
)
OLD = {
    "prompt": list(PROMPT),
    "chosen": [{"role": "assistant", "content": "[JUNE] Two."}],
    "rejected": [{"role": "assistant", "content": "[JUNE] Three."}],
    "kind": "blind comparison",
    "show": "unclaimed",
    "chosen_by": {"model": "unclaimed", "seed": 1, "base": "SmolLM2"},
    "rejected_by": {"model": "unclaimed-r16", "seed": 1, "base": ""},
    "chosen_settings": {"temperature": 0.8, "top_p": 0.95, "max_tokens": 256},
    "id": "0123",
    "kept": "2026-11-27T20:00:00.000Z",
}
"""A vote as a room without places and formats saved it."""


def answer(text: str) -> tuple[Message, ...]:
    return ({"role": "assistant", "content": text},)


def read(folder: Path, *records: Any) -> list[Vote | Rating]:
    path = folder / "votes.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return read_votes([path])


places = st.none() | st.integers(0, 3)
writers = st.builds(Writer, st.text(), st.none() | st.integers(), st.text())
votes = st.builds(
    Vote,
    prompt=st.just(PROMPT),
    chosen=st.text().map(lambda text: answer("a" + text)),
    rejected=st.text().map(lambda text: answer("b" + text)),
    kind=st.sampled_from(["take", "table read"]),
    show=st.text(),
    chosen_by=writers,
    rejected_by=writers,
    chosen_settings=st.none() | st.dictionaries(st.text(), st.floats(allow_nan=False)),
    rejected_prompt=st.none() | st.just(PROMPT),
    chosen_place=places,
    rejected_place=places,
    repeat_of=st.none() | st.text(),
)
ratings = st.builds(
    Rating,
    prompt=st.just(PROMPT),
    completion=st.text().map(answer),
    label=st.booleans(),
    kind=st.text(),
    show=st.text(),
    written_by=writers,
)


@given(st.lists(votes | ratings))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, written: list[Vote | Rating]
) -> None:
    path = tmp_path_factory.mktemp("votes") / "votes.jsonl"
    assert write_votes(path, written) == len(written)
    assert path.stat().st_mode & 0o077 == 0
    assert read_votes([path, path]) == written


def test_a_vote_of_an_older_room_is_read(tmp_path: Path) -> None:
    (vote,) = read(tmp_path, OLD)
    assert isinstance(vote, Vote)
    assert vote.chosen_by == Writer("unclaimed", 1, "SmolLM2")
    assert vote.first_won is None
    assert vote.chosen_settings
    assert vote.chosen_settings["max_tokens"] == 256


def test_the_place_of_the_chosen_one_tells_whether_the_first_won(tmp_path: Path) -> None:
    places = ({"chosen_place": 0, "rejected_place": 2}, {"chosen_place": 1, "rejected_place": 0})
    found = read(tmp_path, *(OLD | place | {"id": str(place)} for place in places))
    assert [vote.first_won for vote in found if isinstance(vote, Vote)] == [True, False]


def test_a_damaged_file_is_one_message_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    for damage in ("rubbish", "[]"):
        path.write_text(f"{json.dumps(OLD)}\n{damage}\n")
        with pytest.raises(UserError, match=r"damaged in line 2 .*mend that line"):
            read_votes([path])


def test_trl_reads_both_kinds(tmp_path: Path) -> None:
    vote = Vote(PROMPT, answer("a"), answer("b"), "table read", "tiny", Writer("m"), Writer("n"))
    rating = Rating(PROMPT, answer("a"), True, "room", "tiny", Writer("m"))
    pairs: list[tuple[str, Vote | Rating]] = [("pair", vote), ("single", rating)]
    for name, each in pairs:
        path = tmp_path / f"{name}.jsonl"
        write_votes(path, [each])
        data = load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path))
        assert is_conversational(data[0])
        assert data[0]["prompt"] == list(PROMPT)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rejected": OLD["chosen"]}, r"vote 1: 'chosen' and 'rejected' are the same"),
        ({"prompt": []}, r"vote 1: 'prompt' has no messages"),
        ({"chosen": []}, r"one message of the role 'assistant'"),
        ({"chosen": list(PROMPT)}, r"one message of the role 'assistant'"),
        ({"chosen": ["[JUNE] Two."]}, r"chosen\[0\]: expected the keys role, content"),
        ({"kind": "guess"}, r"'kind' is 'guess'; allowed: take, "),
        ({"chosen_place": "left"}, r"'chosen_place' must be a int"),
        ({"better": 1}, r"vote 1: unknown key 'better'"),
        ({"label": True}, r"unknown key 'chosen'; allowed keys: prompt, completion, label"),
    ],
)
def test_what_is_no_vote_is_one_message(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        read(tmp_path, OLD | change)
