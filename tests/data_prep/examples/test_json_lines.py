import json

from hypothesis import given
from hypothesis import strategies as st

from data_prep.episode import Episode, Turn
from data_prep.examples.json_lines import encode_example, encode_turns
from nothing_gpt.line import Line, collapse
from nothing_gpt.prompt import Message

# Every character that has an escape, and some that have none.
texts = st.text(
    st.sampled_from('ab"\\\n\t\r\0\x1f\x7fé\u2028😀') | st.characters(exclude_categories=["Cs"])
)
messages = st.lists(texts.map(lambda text: Message(role="user", content=text)))


def dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


@given(messages, messages)
def test_an_example_has_the_bytes_of_python(
    prompt: list[Message], completion: list[Message]
) -> None:
    assert encode_example({"prompt": prompt, "completion": completion}) == dump(
        {"prompt": prompt, "completion": completion}
    )


@given(texts.map(collapse).filter(bool), texts, texts, texts)
def test_a_turn_has_the_bytes_of_python(
    text: str, premise: str, setting: str, episode: str
) -> None:
    turns = [Turn(Line("ANN", text), premise, setting), Turn(Line("BOB", text))]
    assert list(encode_turns(Episode(episode, turns), "train")) == [
        dump(
            {
                "episode": episode,
                "speaker": turn.line.speaker,
                "text": turn.line.text,
                "premise": turn.premise,
                "setting": turn.setting,
                "split": "train",
            }
        )
        for turn in turns
    ]
