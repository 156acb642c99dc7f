"""A judge's answers: asked once, and kept on the disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from evaluation.generation.connection import Connection
from evaluation.judge.question import MOST_TOKENS, Question
from evaluation.record_file import append_record, drop_unfinished
from evaluation.threads import run_in_threads
from nothing_gpt.files import read_jsonl
from nothing_gpt.progress.log import log_progress
from nothing_gpt.prompt.token_estimate import estimate_tokens
from nothing_gpt.records import decode


@dataclass(frozen=True, slots=True)
class Answer:
    """What a judge answered to the question with a key."""

    key: str
    text: str


class Judge:
    """A model that is asked, and the file of its answers."""

    def __init__(self, connection: Connection, model: str, path: Path) -> None:
        self.model = model
        self._connection, self._path = connection, path
        drop_unfinished(path)
        records = read_jsonl(path) if path.is_file() else []
        answers = [decode(Answer, record, str(path)) for record in records]
        self._known = {answer.key: answer.text for answer in answers}

    def list_unknown(self, questions: Sequence[Question]) -> list[Question]:
        """Return the questions that were not asked before."""
        return [each for each in questions if each.key not in self._known]

    def describe_cost(self, questions: Sequence[Question]) -> str:
        """Say how many requests these questions take, and about how many tokens."""
        sizes = [
            sum(estimate_tokens(message["content"]) for message in each.messages)
            for each in questions
        ]
        return (
            f"{len(questions)} requests to '{self.model}' at {self._connection.base_url}: about "
            f"{sum(sizes):,} tokens to read, and at most {MOST_TOKENS * len(questions):,} to write"
        )

    def ask(self, questions: Sequence[Question], threads: int) -> Mapping[str, str]:
        """Return the answers by the questions' keys; ask those that were not asked before.

        Raises:
            UserError: the server refuses or breaks off; answers that arrived are kept.
        """
        unknown = self.list_unknown(questions)
        done = len(questions) - len(unknown)
        advance = log_progress(f"{self.model}: answers", len(questions), done)
        for answer in run_in_threads(self._ask_one, unknown, threads):
            append_record(self._path, answer)
            self._known[answer.key] = answer.text
            advance(f"the last one {answer.text[:20]!r}")
        return {each.key: self._known[each.key] for each in questions}

    def _ask_one(self, question: Question) -> Answer:
        with self._connection.explained_errors(self.model):
            answer = self._connection.client.chat.completions.create(
                model=self.model,
                messages=cast("Any", list(question.messages)),
                temperature=0,
                max_tokens=MOST_TOKENS,
            )
            return Answer(question.key, answer.choices[0].message.content or "")
