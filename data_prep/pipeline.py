"""The whole stage: read, clean, cut, count, and write what training needs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nothing_gpt.line
import nothing_gpt.prompt
import nothing_gpt.quotation
from data_prep.episode import Episode, Reading
from data_prep.examples.cleaning import Cleaned, clean_speeches
from data_prep.examples.split import hold_out
from data_prep.examples.token_lengths import TokenStatistics, count_lengths, summarize_lengths
from data_prep.examples.tokenizer import DEFAULT_ENCODING, NoTokenizerError, load_counter
from data_prep.examples.windows import TrainingExample, build_example, cut, direct, merge_turns
from data_prep.report import DataReport, RowCounts, SplitCounts, render_report, summarize_dropped
from data_prep.sources.fountain import read_fountain
from data_prep.sources.source_files import KAGGLE, SourceFile, download_kaggle, read_files
from data_prep.sources.table import read_table
from nothing_gpt.errors import UserError
from nothing_gpt.files import (
    atomic_folder,
    fingerprint,
    read_json,
    write_json,
    write_jsonl,
    write_text,
)
from nothing_gpt.prompt import parts_of, turns_given
from nothing_gpt.quotation import FILE as QUOTATIONS
from nothing_gpt.quotation import index_speeches
from nothing_gpt.records import decode, encode
from nothing_gpt.show import FormatName, Show
from nothing_gpt.workspace import DATA_REPORT_FILE, DIALOGUES_FILE, HELD_OUT_FILE, TRAINING_FILE

READABLE_REPORT = "report.md"
OUTPUTS = frozenset(
    {DIALOGUES_FILE, TRAINING_FILE, HELD_OUT_FILE, DATA_REPORT_FILE, QUOTATIONS, READABLE_REPORT}
)

_LITTER = frozenset({".DS_Store"})


@dataclass(frozen=True, slots=True)
class PreparationJob:
    """What to prepare, from where and to where.

    `source` is a path or `kaggle:OWNER/NAME`; `tokenizer` is as `load_counter` takes it,
    or `none`.
    """

    show: Show
    source: str
    out: Path
    format: FormatName
    tokenizer: str = "auto"


def prepare(job: PreparationJob, *, fresh: bool = False) -> tuple[DataReport, bool]:
    """Do a job, unless its output is there and what it came from has not changed.

    A Kaggle data set counts as unchanged; `fresh` does the job again in any case.

    Returns:
        The report, and whether anything was done.

    Raises:
        UserError: the source or the output folder will not do; nothing is written then.
    """
    out = job.out.resolve()
    _check_replaceable(out)
    corpus, handle = job.show.corpus, job.source.removeprefix(KAGGLE)
    files = read_files(Path(job.source), corpus) if handle == job.source else None
    inputs = _fingerprint(job, files)
    if not fresh and (report := _read_finished(out)) and report.inputs == inputs:
        return report, False
    if files is None:
        files = read_files(download_kaggle(handle), corpus)
    return _make(job, files, inputs, out), True


def _make(job: PreparationJob, files: Sequence[SourceFile], inputs: str, out: Path) -> DataReport:
    made = _make_examples(job, files)
    statistics, notes = _count_tokens([*made.train, *made.validation], job.tokenizer)
    if not made.validation:
        notes = (*notes, "no validation example: no held-out episode is long enough")
    report = DataReport(
        inputs=inputs,
        show=job.show.name,
        title=job.show.title,
        format=job.format,
        source=job.source,
        licence=job.show.corpus.licence,
        rows=_count_rows(made.reading, made.cleaned),
        episodes=SplitCounts(len(made.cleaned.episodes) - len(made.held_out), len(made.held_out)),
        held_out=tuple(sorted(made.held_out)),
        turns=made.turns,
        examples=SplitCounts(len(made.train), len(made.validation)),
        direction=made.direction,
        characters=_count_lines(made.cleaned),
        tokens=statistics,
        notes=(*made.reading.notes, *notes),
    )
    with atomic_folder(out) as folder:
        write_jsonl(folder / DIALOGUES_FILE, _dialogues(made.cleaned.episodes, made.held_out))
        write_jsonl(folder / TRAINING_FILE, made.train)
        write_jsonl(folder / HELD_OUT_FILE, made.validation)
        (folder / QUOTATIONS).write_bytes(index_speeches(made.speeches))
        write_json(folder / DATA_REPORT_FILE, encode(report))
        write_text(folder / READABLE_REPORT, render_report(report))
    return report


@dataclass(frozen=True, slots=True)
class _Made:
    """The examples, and what was seen on the way to them.

    `speeches` is all that is said, as the scripts have it and as the examples do.
    """

    reading: Reading
    cleaned: Cleaned
    held_out: frozenset[str]
    turns: int
    train: list[TrainingExample]
    validation: list[TrainingExample]
    direction: dict[str, int]
    speeches: set[str]


def _make_examples(job: PreparationJob, files: Sequence[SourceFile]) -> _Made:
    show, corpus = job.show, job.show.corpus
    reading = read_table(files, corpus) if corpus.kind == "table" else read_fountain(files)
    cleaned = clean_speeches(reading.speeches, show)
    held_out = hold_out((episode.id for episode in cleaned.episodes), show.split)
    merged = [Episode(episode.id, merge_turns(episode.turns)) for episode in cleaned.episodes]
    train: list[TrainingExample] = []
    validation: list[TrainingExample] = []
    direction: dict[str, int] = dict.fromkeys(parts_of(job.format), 0)
    for episode in merged:
        half = validation if episode.id in held_out else train
        for window in cut(episode, show, job.format):
            told = direct(window, show, job.format)
            half.append(build_example(window, told, show, job.format))
            for part in direction:
                direction[part] += bool(getattr(told, part))
    if not train:
        raise _too_short(job, merged)
    turns = sum(len(episode.turns) for episode in merged)
    spoken = (*cleaned.episodes, *merged)
    speeches = {turn.line.text for episode in spoken for turn in episode.turns}
    return _Made(reading, cleaned, held_out, turns, train, validation, direction, speeches)


def _too_short(job: PreparationJob, merged: Sequence[Episode]) -> UserError:
    longest = max((len(episode.turns) for episode in merged), default=0)
    given = turns_given(job.format)
    if given is not None:
        return UserError(
            f"{job.source}: nobody with a voice in the show's cast speaks after {given} turns or"
            f" more (episodes: {len(merged)}, most turns: {longest}); give longer scripts, or"
            " voices to those who speak"
        )
    return UserError(
        f"{job.source}: no episode to train on is long enough (episodes: {len(merged)}, most"
        f" turns: {longest}, turns that a window needs: {job.show.windows.minimum}); give more"
        " or longer scripts, or lower 'minimum' in the show's [windows]"
    )


def _dialogues(episodes: Sequence[Episode], held_out: frozenset[str]) -> Iterator[dict[str, str]]:
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


def _count_rows(reading: Reading, cleaned: Cleaned) -> RowCounts:
    return RowCounts(
        read=len(reading.speeches) + reading.settings,
        kept=sum(len(episode.turns) for episode in cleaned.episodes),
        settings=reading.settings,
        dropped={reason: summarize_dropped(texts) for reason, texts in cleaned.dropped.items()},
    )


def _count_lines(cleaned: Cleaned) -> dict[str, int]:
    turns = (turn for episode in cleaned.episodes for turn in episode.turns)
    return dict(Counter(turn.line.speaker for turn in turns).most_common())


def _count_tokens(
    examples: Sequence[TrainingExample], tokenizer: str
) -> tuple[TokenStatistics | None, tuple[str, ...]]:
    if tokenizer == "none":
        return None, ()
    try:
        counter = load_counter(tokenizer)
    except NoTokenizerError as error:
        return None, (f"no token statistics: {error}",)
    name = DEFAULT_ENCODING if tokenizer == "auto" else tokenizer
    return summarize_lengths(count_lengths(examples, counter), name), ()


def _fingerprint(job: PreparationJob, files: Sequence[SourceFile] | None) -> str:
    code = [
        *sorted(Path(__file__).parent.rglob("*.py")),
        Path(nothing_gpt.line.__file__),
        Path(nothing_gpt.quotation.__file__),
        *sorted(Path(nothing_gpt.prompt.__file__).parent.glob("*.py")),
    ]
    source = job.source if files is None else [file.digest for file in files]
    return fingerprint([encode(job.show), job.format, job.tokenizer, source], code)


def _read_finished(out: Path) -> DataReport | None:
    """The report of an earlier run, if it and all its outputs are whole."""
    if not all((out / name).is_file() for name in OUTPUTS):
        return None
    try:
        return decode(DataReport, read_json(out / DATA_REPORT_FILE), str(out / DATA_REPORT_FILE))
    except UserError:  # an older version's, or one that somebody changed: it will be replaced
        return None


def _check_replaceable(out: Path) -> None:
    """Refuse to put the output in the place of anything else."""
    if not out.exists():
        return
    if not out.is_dir():
        raise UserError(f"{out}: is a file; choose a folder for the output")
    others = sorted({path.name for path in out.iterdir()} - OUTPUTS - _LITTER)
    if others:
        raise UserError(
            f"{out}: holds other things ({', '.join(others[:3])}), and the output would take the"
            " folder's place; choose a new or empty folder with --out"
        )
