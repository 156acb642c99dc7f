import time
from dataclasses import replace
from pathlib import Path

import pytest

from data_prep.examples.token_lengths import TokenLengths, count_lengths, summarize_lengths
from data_prep.examples.tokenizer import NoTokenizerError, load_counter
from data_prep.examples.windows import TrainingExample
from data_prep.job import PreparationJob
from data_prep.pipeline import prepare
from data_prep.report import render_report
from nothing_gpt.errors import UserError
from tests.data_prep.samples import table_show, write_tables


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "no-cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no-hub"))


@pytest.fixture
def words_json(tmp_path: Path) -> Path:
    """A real tokenizer file, one token a word."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"?": 0}, "?"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.enable_truncation(3)
    path = tmp_path / "words" / "tokenizer.json"
    path.parent.mkdir()
    tokenizer.save(str(path))
    return path


def example(*contents: str) -> TrainingExample:
    system, user, answer = contents
    return {
        "prompt": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        "completion": [{"role": "assistant", "content": answer}],
    }


def test_a_tokenizer_comes_from_a_file_or_its_folder(words_json: Path) -> None:
    for name in (words_json, words_json.parent):
        assert load_counter(str(name))(["a b c d e", "", "a"]) == [5, 0, 1]


def test_lengths_are_contents_and_the_templates_overhead(words_json: Path) -> None:
    counter = load_counter(str(words_json))
    examples = [example("a b ", "c ", "d e f")] * 300 + [example("a", "b", "c")]
    lengths = count_lengths(examples, counter)
    assert lengths == [TokenLengths(6 + 20, 3)] * 300 + [TokenLengths(1 + 20, 1)]


def test_statistics_are_the_known_quantiles() -> None:
    lengths = [TokenLengths(n + 1000, n) for n in range(1, 2000)]
    statistics = summarize_lengths(lengths, "words")
    spread = statistics.completion
    assert (spread.minimum, spread.maximum, spread.mean) == (1, 1999, 1000)
    assert (spread.p50, spread.p90, spread.p95, spread.p99) == (1000, 1800, 1900, 1980)
    assert statistics.over_max_length == sum(n + 1000 > 2048 for n in range(1, 2000))
    lone = summarize_lengths(lengths[:1], "words").total
    assert (lone.minimum, lone.p50, lone.p99, lone.maximum) == (1001, 1001, 1001, 1001)
    few = summarize_lengths(lengths[:3], "words").completion
    assert (few.p50, few.p99) == (2, 3)


@pytest.mark.usefixtures("no_network")
def test_without_a_network_the_report_does_without_at_once(tmp_path: Path) -> None:
    source = write_tables(tmp_path / "tables")
    job = PreparationJob(table_show(tmp_path), str(source), tmp_path / "out", "script")
    prepare(replace(job, tokenizer="none"))
    with pytest.raises(NoTokenizerError):  # also imports what the measured run needs
        load_counter("auto")
    started = time.monotonic()
    report, done = prepare(job)
    assert time.monotonic() - started < 1
    assert done
    assert report.tokens is None
    assert len(report.notes) == 1
    assert "no token statistics" in report.notes[0]
    assert "TIKTOKEN_CACHE_DIR" in render_report(report)


@pytest.mark.usefixtures("no_network")
def test_a_tokenizer_that_was_asked_for_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not JSON")
    for name, message in {
        "cl100k_base": r"cl100k_base.*cannot be reached",
        "nobody/nothing": r"nobody/nothing: .*the hub cannot be reached",
        str(tmp_path): r"tokenizer\.json: no such file",
        str(tmp_path / "text"): r"text: not a tokenizer\.json",
    }.items():
        started = time.monotonic()
        with pytest.raises(UserError, match=message):
            load_counter(name)
        assert time.monotonic() - started < 3


def test_the_report_names_its_tokenizer(tmp_path: Path, words_json: Path) -> None:
    source = write_tables(tmp_path / "tables")
    job = PreparationJob(
        table_show(tmp_path), str(source), tmp_path / "out", "script", tokenizer=str(words_json)
    )
    report, _ = prepare(job)
    assert report.tokens is not None
    assert report.tokens.tokenizer == str(words_json)
    assert report.tokens.share_over_max_length == 0
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert f"Counted by `{words_json}`" in text
    assert "Longer than 2,048 tokens: 0 examples (0.00%)." in text
