"""The whole stage: read, clean, cut and count, then write what training needs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_prep.episode import Episode, Reading
from data_prep.examples.cleaning import Cleaned, clean_speeches
from data_prep.examples.split import hold_out
from data_prep.examples.token_lengths import TokenStatistics, count_lengths, summarize_lengths
from data_prep.examples.tokenizer import DEFAULT_ENCODING, NoTokenizerError, load_counter
from data_prep.examples.windows import (
    TrainingExample,
    build_direction,
    build_example,
    cut_episode,
    merge_turns,
)
from data_prep.job import PreparationJob, fingerprint_inputs
from data_prep.line_counts import count_lines, find_strangers
from data_prep.output import READABLE_REPORT, check_replaceable, read_finished_report
from data_prep.report import DataReport, RowCounts, SplitCounts, render_report, summarize_dropped
from data_prep.sources.downloads import download, is_downloaded
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import SourceFile, read_files
from nothing_gpt.errors import UserError
from nothing_gpt.files import atomic_folder, write_json, write_jsonl, write_text
from nothing_gpt.prompt import parts_of, turns_given
from nothing_gpt.quotation import FILE as QUOTATIONS_FILE
from nothing_gpt.quotation import index_speeches
from nothing_gpt.records import encode
from nothing_gpt.workspace import DATA_REPORT_FILE, DIALOGUES_FILE, HELD_OUT_FILE, TRAINING_FILE


def prepare(job: PreparationJob, *, fresh: bool = False) -> tuple[DataReport, bool]:
    """Run a job, unless its output exists and none of its inputs has changed.

    A data set that is downloaded counts as unchanged; `fresh` runs the job in any case.

    Returns:
        The report, and whether anything was written.

    Raises:
        UserError: the source or the output folder cannot be used; nothing has been written.
    """
    out = job.out.resolve()
    check_replaceable(out)
    corpus = job.show.corpus
    files = None if is_downloaded(job.source) else read_files(Path(job.source), corpus)
    inputs = fingerprint_inputs(job, files)
    if not fresh and (report := read_finished_report(out)) and report.inputs == inputs:
        return report, False
    if files is None:
        files = read_files(download(job.source), corpus)
    examples = _make_examples(job, files)
    report = _make_report(job, examples, inputs)
    _write_output(out, examples, report)
    return report, True


@dataclass(frozen=True, slots=True)
class _Examples:
    """The examples, with the results of the steps before them.

    Attributes:
        turns: The number of merged turns.
        direction: How many examples carry each part of a direction.
        speeches: Every text that is spoken, before and after turns are merged.
    """

    reading: Reading
    cleaned: Cleaned
    held_out: frozenset[str]
    turns: int
    train: list[TrainingExample]
    validation: list[TrainingExample]
    direction: dict[str, int]
    speeches: set[str]


def _make_examples(job: PreparationJob, files: Sequence[SourceFile]) -> _Examples:
    show = job.show
    reading = read_sources(files, show.corpus)
    cleaned = clean_speeches(reading.speeches, show)
    held_out = hold_out((episode.id for episode in cleaned.episodes), show.split)
    merged = [Episode(episode.id, merge_turns(episode.turns)) for episode in cleaned.episodes]
    train: list[TrainingExample] = []
    validation: list[TrainingExample] = []
    part_counts: dict[str, int] = dict.fromkeys(parts_of(job.format), 0)
    for episode in merged:
        half = validation if episode.id in held_out else train
        for window in cut_episode(episode, show, job.format):
            direction = build_direction(window, show, job.format)
            half.append(build_example(window, direction, show, job.format))
            for part in part_counts:
                part_counts[part] += bool(getattr(direction, part))
    if not train:
        raise _too_short(job, merged)
    turns = sum(len(episode.turns) for episode in merged)
    spoken = (*cleaned.episodes, *merged)
    speeches = {turn.line.text for episode in spoken for turn in episode.turns}
    return _Examples(reading, cleaned, held_out, turns, train, validation, part_counts, speeches)


def _too_short(job: PreparationJob, merged: Sequence[Episode]) -> UserError:
    longest = max((len(episode.turns) for episode in merged), default=0)
    context = turns_given(job.format)
    if context is not None:
        return UserError(
            f"{job.source}: nobody with a voice in the show's cast speaks after {context} turns or"
            f" more (episodes: {len(merged)}, most turns: {longest}); give longer scripts, or"
            " voices to those who speak"
        )
    return UserError(
        f"{job.source}: no episode to train on is long enough (episodes: {len(merged)}, most"
        f" turns: {longest}, turns that a window needs: {job.show.windows.minimum}); give more"
        " or longer scripts, or lower 'minimum' in the show's [windows]"
    )


def _make_report(job: PreparationJob, examples: _Examples, inputs: str) -> DataReport:
    cleaned, held_out = examples.cleaned, examples.held_out
    statistics, notes = _count_tokens([*examples.train, *examples.validation], job.tokenizer)
    if not examples.validation:
        notes = (*notes, "no validation example: no held-out episode is long enough")
    return DataReport(
        inputs=inputs,
        show=job.show.name,
        title=job.show.title,
        format=job.format,
        source=job.source,
        licence=job.show.corpus.licence,
        rows=_count_rows(examples.reading, cleaned),
        episodes=SplitCounts(len(cleaned.episodes) - len(held_out), len(held_out)),
        held_out=tuple(sorted(held_out)),
        turns=examples.turns,
        examples=SplitCounts(len(examples.train), len(examples.validation)),
        direction=examples.direction,
        characters=_count_lines(cleaned),
        tokens=statistics,
        lines=count_lines(examples.reading, cleaned),
        left_out={
            reason: summarize_dropped(texts) for reason, texts in examples.reading.left_out.items()
        },
        near_misses=(*examples.reading.near_misses, *find_strangers(cleaned, job.show)),
        notes=(*examples.reading.notes, *notes),
    )


def _count_rows(reading: Reading, cleaned: Cleaned) -> RowCounts:
    return RowCounts(
        read=len(reading.speeches) + reading.setting_rows,
        kept=cleaned.kept,
        settings=reading.setting_rows,
        dropped={reason: summarize_dropped(texts) for reason, texts in cleaned.dropped.items()},
    )


def _count_lines(cleaned: Cleaned) -> dict[str, int]:
    turns = (turn for episode in cleaned.episodes for turn in episode.turns)
    return dict(Counter(turn.line.speaker for turn in turns).most_common())


def _count_tokens(
    examples: Sequence[TrainingExample], tokenizer: str
) -> tuple[TokenStatistics | None, tuple[str, ...]]:
    """Count the examples' tokens; without a tokenizer, return None and a note with the reason."""
    if tokenizer == "none":
        return None, ()
    try:
        counter = load_counter(tokenizer)
    except NoTokenizerError as error:
        return None, (f"no token statistics: {error}",)
    name = DEFAULT_ENCODING if tokenizer == "auto" else tokenizer
    return summarize_lengths(count_lengths(examples, counter), name), ()


def _write_output(out: Path, examples: _Examples, report: DataReport) -> None:
    episodes = examples.cleaned.episodes
    with atomic_folder(out) as folder:
        write_jsonl(folder / DIALOGUES_FILE, _list_dialogues(episodes, examples.held_out))
        write_jsonl(folder / TRAINING_FILE, examples.train)
        write_jsonl(folder / HELD_OUT_FILE, examples.validation)
        (folder / QUOTATIONS_FILE).write_bytes(index_speeches(examples.speeches))
        write_json(folder / DATA_REPORT_FILE, encode(report))
        write_text(folder / READABLE_REPORT, render_report(report))


def _list_dialogues(
    episodes: Sequence[Episode], held_out: frozenset[str]
) -> Iterator[dict[str, str]]:
    for episode in episodes:
        split = "validation" if episode.id in held_out else "train"
        for turn in episode.turns:
            yield {
                "episode": episode.id,
                "speaker": turn.line.speaker,
                "text": turn.line.text,
                "premise": turn.premise,
                "setting": turn.setting,
                "split": split,
            }
