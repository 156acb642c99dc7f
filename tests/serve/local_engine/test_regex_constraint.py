import pytest

from nothing_gpt.cast_lock import CastLock
from nothing_gpt.workspace import Workspace
from serve.local_engine.model import LocalModel
from serve.local_engine.regex_constraint import RegexCompiler
from serve.models.served_models import choose_models


@pytest.fixture(scope="module")
def compiler(workspace: Workspace) -> RegexCompiler:
    return LocalModel(choose_models(workspace), rows=1).regex_compiler


def test_a_pattern_that_takes_too_much_work_is_refused(compiler: RegexCompiler) -> None:
    with pytest.raises(ValueError, match="lexer error"):
        compiler.compile("(a{1000}){1000}")


@pytest.mark.parametrize("pattern", ["([", "a{3,2}", "(" * 8_000])
def test_a_pattern_that_is_none_is_refused_in_one_line(
    compiler: RegexCompiler, pattern: str
) -> None:
    with pytest.raises(ValueError, match="regex") as caught:
        compiler.compile(pattern)
    assert "\n" not in str(caught.value)


def test_large_casts_and_long_texts_compile(compiler: RegexCompiler) -> None:
    cast = tuple(f"CHARACTER NUMBER {number}" for number in range(200))
    for pattern in (CastLock(cast, lines=2000).regex(), "(?s:.{9000})", "[a-z]{1900}"):
        assert not compiler.compile(pattern).is_error()
