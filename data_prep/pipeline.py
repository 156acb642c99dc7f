"""The whole stage: read, clean, cut and count, and write what training needs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from data_prep.episode import Episode, Reading
from data_prep.examples.cleaning import Cleaned, clean_speeches
from data_prep.examples.example_stream import ExampleStream
from data_prep.examples.json_lines import encode_example, encode_turns
from data_prep.examples.split import hold_out
from data_prep.examples.token_lengths import summarize_lengths
from data_prep.examples.tokenizer import DEFAULT_ENCODING, NoTokenizerError, load_counter
from data_prep.examples.tokenizer import Counter as TokenCounter
from data_prep.examples.windows import merge_turns
from data_prep.job import PreparationJob, fingerprint_inputs
from data_prep.line_counts import count_lines, find_strangers
from data_prep.output import READABLE_REPORT, check_replaceable, read_finished_report
from data_prep.report import DataReport, RowCounts, SplitCounts, render_report, summarize_dropped
from data_prep.second_process import can_fork, run_beside
from data_prep.sources.downloads import download, is_downloaded
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import read_files
from nothing_gpt.errors import UserError
from nothing_gpt.files import atomic_folder, write_bytes, write_json, write_lines, write_text
from nothing_gpt.prompt import turns_given
from nothing_gpt.quotation import FILE as QUOTATIONS_FILE
from nothing_gpt.quotation import index_speeches
from nothing_gpt.records import encode
from nothing_gpt.workspace import DATA_REPORT_FILE, DIALOGUES_FILE, HELD_OUT_FILE, TRAINING_FILE

_MANY = 100_000  # speeches: with fewer, a second process saves less than a tenth of a second


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
    reading = read_sources(files, corpus)
    del files  # they may be large, and the speeches are copies
    report = _write_output(job, out, reading, inputs)
    return report, True


def _write_output(job: PreparationJob, out: Path, reading: Reading, inputs: str) -> DataReport:
    """Write all files; examples go to theirs one by one, and are never in memory together.

    In a large show, a second process writes the speeches while this one writes the examples.
    """
    cleaned = clean_speeches(reading.speeches, job.show)
    episodes = cleaned.episodes
    merged = [Episode(episode.id, merge_turns(episode.turns)) for episode in episodes]
    held_out = hold_out((episode.id for episode in episodes), job.show.split)
    with (
        atomic_folder(out) as folder,
        run_beside(
            partial(_write_speeches, folder, episodes, merged, held_out),
            forks=cleaned.kept >= _MANY and can_fork(),
        ),
    ):
        counter, notes = _load_counter(job.tokenizer)
        stream = ExampleStream(job.show, job.format, counter)
        kept = (episode for episode in merged if episode.id not in held_out)
        train = write_lines(folder / TRAINING_FILE, map(encode_example, stream.make(kept)))
        others = (episode for episode in merged if episode.id in held_out)
        validation = write_lines(folder / HELD_OUT_FILE, map(encode_example, stream.make(others)))
        if not train:
            raise _too_short(job, merged)
        if not validation:
            notes = (*notes, "no validation example: no held-out episode is long enough")
        report = DataReport(
            inputs=inputs,
            show=job.show.name,
            title=job.show.title,
            format=job.format,
            source=job.source,
            licence=job.show.corpus.licence,
            rows=_count_rows(reading, cleaned),
            episodes=SplitCounts(len(episodes) - len(held_out), len(held_out)),
            held_out=tuple(sorted(held_out)),
            turns=sum(len(episode.turns) for episode in merged),
            examples=SplitCounts(train, validation),
            direction=stream.parts,
            characters=_count_speakers(episodes),
            tokens=summarize_lengths(stream.lengths, _name_tokenizer(job)) if counter else None,
            lines=count_lines(reading, cleaned),
            left_out={
                reason: summarize_dropped(texts) for reason, texts in reading.left_out.items()
            },
            near_misses=(*reading.near_misses, *find_strangers(cleaned, job.show)),
            notes=(*reading.notes, *notes),
        )
        write_json(folder / DATA_REPORT_FILE, encode(report))
        write_text(folder / READABLE_REPORT, render_report(report))
    return report


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


def _load_counter(tokenizer: str) -> tuple[TokenCounter | None, tuple[str, ...]]:
    """Load what counts tokens; without a tokenizer, return None and a note with the reason."""
    if tokenizer == "none":
        return None, ()
    try:
        return load_counter(tokenizer), ()
    except NoTokenizerError as error:
        return None, (f"no token statistics: {error}",)


def _name_tokenizer(job: PreparationJob) -> str:
    return DEFAULT_ENCODING if job.tokenizer == "auto" else job.tokenizer


def _count_rows(reading: Reading, cleaned: Cleaned) -> RowCounts:
    dropped = sum(texts.total() for texts in cleaned.dropped.values())
    return RowCounts(
        read=cleaned.kept + dropped + reading.setting_rows,
        kept=cleaned.kept,
        settings=reading.setting_rows,
        dropped={reason: summarize_dropped(texts) for reason, texts in cleaned.dropped.items()},
    )


def _count_speakers(episodes: Sequence[Episode]) -> dict[str, int]:
    turns = (turn for episode in episodes for turn in episode.turns)
    return dict(Counter(turn.line.speaker for turn in turns).most_common())


def _write_speeches(
    folder: Path, episodes: Sequence[Episode], merged: Sequence[Episode], held_out: frozenset[str]
) -> None:
    splits = ("validation" if episode.id in held_out else "train" for episode in episodes)
    turns = map(encode_turns, episodes, splits)
    write_lines(folder / DIALOGUES_FILE, chain.from_iterable(turns))
    write_bytes(folder / QUOTATIONS_FILE, index_speeches(_list_speeches(episodes, merged)))


def _list_speeches(episodes: Sequence[Episode], merged: Sequence[Episode]) -> Iterator[str]:
    """Yield every text that is spoken, before and after turns are merged."""
    for episode, joined in zip(episodes, merged, strict=True):
        alone = set(map(id, episode.turns))
        yield from (turn.line.text for turn in episode.turns)
        yield from (turn.line.text for turn in joined.turns if id(turn) not in alone)
