"""Files of votes: a JSON object a line, as the room saves them and the table read keeps them."""

import json
from collections.abc import Iterable
from pathlib import Path

from nothing_gpt.files import read_jsonl, write_lines
from nothing_gpt.records import decode, encode
from nothing_gpt.votes.vote import Rating, Vote


def read_votes(paths: Iterable[Path]) -> list[Vote | Rating]:
    """Read files of votes, each vote once; those with a `label` are ratings.

    Raises:
        UserError: a file cannot be read, or a record is not a vote; the message names the record.
    """
    found: dict[str, Vote | Rating] = {}
    for path in paths:
        for number, record in enumerate(read_jsonl(path), 1):
            kind: type[Vote | Rating] = Rating if "label" in record else Vote
            vote = decode(kind, record, f"{path}: vote {number}")
            found.setdefault(vote.id, vote)
    return list(found.values())


def write_votes(path: Path, votes: Iterable[Vote | Rating]) -> int:
    """Write a file of votes in place of an earlier one; return their number.

    Raises:
        UserError: it cannot be written.
    """
    return write_lines(path, map(render_vote, votes))


def render_vote(vote: Vote | Rating) -> bytes:
    """Return a vote as a line of the file, without the line break."""
    return json.dumps(encode(vote), ensure_ascii=False).encode()
