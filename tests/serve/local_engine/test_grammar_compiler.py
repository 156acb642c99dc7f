import pytest

from nothing_gpt.cast_lock import CastLock
from nothing_gpt.workspace import Workspace
from serve.local_engine.grammar_compiler import GrammarCompiler
from serve.local_engine.model import LocalModel
from serve.local_engine.request.constraint import StructuredOutputs
from serve.models.served_models import choose_models


@pytest.fixture(scope="module")
def compiler(workspace: Workspace) -> GrammarCompiler:
    return LocalModel(choose_models(workspace), rows=1).grammar_compiler


def regex(pattern: str) -> str:
    return StructuredOutputs(regex=pattern).to_grammar()


def test_the_bytes_of_tokens_are_exact(compiler: GrammarCompiler, workspace: Workspace) -> None:
    model = LocalModel(choose_models(workspace), rows=1)
    for text in ("[ANA] Ünd 🎉?\n", "\x00 \u2028\x7f", "日本語"):
        tokens = model.encode(text, add_special_tokens=False)
        assert b"".join(map(compiler.decode_token, tokens)) == text.encode()


def test_a_pattern_that_takes_too_much_work_is_refused(compiler: GrammarCompiler) -> None:
    with pytest.raises(ValueError, match="lexer error"):
        compiler.compile(regex("(a{1000}){1000}"))


@pytest.mark.parametrize("pattern", ["([", "a{3,2}", "(" * 8_000])
def test_a_pattern_that_is_none_is_refused_in_one_line(
    compiler: GrammarCompiler, pattern: str
) -> None:
    with pytest.raises(ValueError, match="regex") as caught:
        compiler.compile(regex(pattern))
    assert "\n" not in str(caught.value)


def test_large_casts_and_long_texts_compile(compiler: GrammarCompiler) -> None:
    cast = tuple(f"CHARACTER NUMBER {number}" for number in range(200))
    for pattern in (CastLock(cast, lines=2000).regex(), "(?s:.{9000})", "[a-z]{1900}"):
        assert not compiler.compile(regex(pattern)).is_error()
