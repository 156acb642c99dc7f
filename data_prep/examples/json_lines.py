"""Examples and turns as lines of JSON, in the bytes of Python's `json.dumps`.

orjson writes texts, which is most of it, in a tenth of the time. It puts no space after commas and
colons, so what is around the texts is written here.
"""

from collections.abc import Iterator
from functools import cache

from orjson import dumps

from data_prep.episode import Episode
from data_prep.examples.windows import TrainingExample
from nothing_gpt.prompt import Message

_EXAMPLE = b'{"prompt": [%b], "completion": [%b]}'
_MESSAGE = b'{"role": %b, "content": %b}'
_TURN = b'{"episode": %b, "speaker": %b, "text": %b, "premise": %b, "setting": %b, "split": %b}'


def encode_example(example: TrainingExample) -> bytes:
    """Encode an example as one line."""
    prompt = b", ".join(map(_encode_message, example["prompt"]))
    completion = b", ".join(map(_encode_message, example["completion"]))
    return _EXAMPLE % (prompt, completion)


def _encode_message(message: Message) -> bytes:
    return _MESSAGE % (dumps(message["role"]), dumps(message["content"]))


def encode_turns(episode: Episode, split: str) -> Iterator[bytes]:
    """Encode each turn of an episode as a line."""
    known = cache(dumps)  # all but the words of a turn is the same in many turns
    for turn in episode.turns:
        yield _TURN % (
            known(episode.id),
            known(turn.line.speaker),
            dumps(turn.line.text),
            known(turn.premise),
            known(turn.setting),
            known(split),
        )
