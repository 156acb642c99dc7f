"""The whole stage: read, clean, cut, count, and write what training needs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nothing_gpt.line
import nothing_gpt.prompt
from data_prep import tokens
from data_prep.cleaning import Cleaned, clean_speeches
from data_prep.episode import Episode, Reading
from data_prep.fountain import read_fountain
from data_prep.report import Halves, Report, Rows, render_report, summarize_dropped
from data_prep.source import KAGGLE, SourceFile, download_kaggle, read_files
from data_prep.split import hold_out
from data_prep.table import read_table
from data_prep.windows import Example, build_example, cut_windows, direct, merge_turns
from nothing_gpt.dataset import DIALOGUES, REPORT, TRAIN, VALIDATION
from nothing_gpt.errors import UserError
from nothing_gpt.files import (
    fingerprint,
    read_json,
    whole_folder,
    write_json,
    write_jsonl,
    write_text,
)
from nothing_gpt.prompt import parts_of
from nothing_gpt.records import decode, encode
from nothing_gpt.show import FormatName, Show

READABLE_REPORT = "report.md"
OUTPUTS = frozenset({DIALOGUES, TRAIN, VALIDATION, REPORT, READABLE_REPORT})

_LITTER = frozenset({".DS_Store"})


@dataclass(frozen=True, slots=True)
class Job:
    """What to prepare, from where and to where.

    `source` is a path or `kaggle:OWNER/NAME`; `tokenizer` is as `tokens.load_counter` takes it,
    or `none`.
    """

    show: Show
    source: str
    out: Path
    format: FormatName
    tokenizer: str = "auto"


def prepare(job: Job, *, fresh: bool = False) -> tuple[Report, bool]:
    """Do a job, unless its output is there and what it came from has not changed.

    A Kaggle data set counts as unchanged; `fresh` does the job again in any case.

    Returns:
        The report, and whether anything was done.

    Raises:
        UserError: the source or the output folder will not do; nothing is written then.
    """
    out = job.out.resolve()
    _check_replaceable(out)
    files = (
        None if job.source.startswith(KAGGLE) else read_files(Path(job.source), job.show.corpus)
    )
    inputs = _fingerprint(job, files)
    if not fresh and (report := _read_finished(out)) and report.inputs == inputs:
        return report, False
    if files is None:
        handle = job.source.removeprefix(KAGGLE)
        files = read_files(download_kaggle(handle), job.show.corpus)
    return _make(job, files, inputs, out), True


def _make(job: Job, files: Sequence[SourceFile], inputs: str, out: Path) -> Report:
    show = job.show
    reading = (
        read_table(files, show.corpus) if show.corpus.kind == "table" else read_fountain(files)
    )
    cleaned = clean_speeches(reading.speeches, show)
    windows = [w for episode in cleaned.episodes for w in cut_windows(episode, show.windows)]
    held_out = hold_out((episode.id for episode in cleaned.episodes), show.split)
    directions = [direct(window, show, job.format) for window in windows]
    examples = [
        build_example(window, direction, show, job.format)
        for window, direction in zip(windows, directions, strict=True)
    ]
    train = [e for w, e in zip(windows, examples, strict=True) if w.episode not in held_out]
    validation = [e for w, e in zip(windows, examples, strict=True) if w.episode in held_out]
    _check_enough(job, cleaned, train)
    statistics, notes = _count_tokens(examples, job.tokenizer)
    if not validation:
        notes = (*notes, "no validation example: no held-out episode is long enough")
    lines = [turn.line for episode in cleaned.episodes for turn in episode.turns]
    report = Report(
        inputs=inputs,
        show=show.name,
        title=show.title,
        format=job.format,
        source=job.source,
        licence=show.corpus.licence,
        rows=_count_rows(reading, cleaned),
        episodes=Halves(len(cleaned.episodes) - len(held_out), len(held_out)),
        held_out=tuple(sorted(held_out)),
        turns=sum(len(merge_turns(episode.turns)) for episode in cleaned.episodes),
        examples=Halves(len(train), len(validation)),
        direction={
            part: sum(bool(getattr(direction, part)) for direction in directions)
            for part in parts_of(job.format)
        },
        characters=dict(Counter(line.speaker for line in lines).most_common()),
        tokens=statistics,
        notes=(*reading.notes, *notes),
    )
    with whole_folder(out) as folder:
        write_jsonl(folder / DIALOGUES, _dialogues(cleaned.episodes, held_out))
        write_jsonl(folder / TRAIN, train)
        write_jsonl(folder / VALIDATION, validation)
        write_json(folder / REPORT, encode(report))
        write_text(folder / READABLE_REPORT, render_report(report))
    return report


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


def _count_rows(reading: Reading, cleaned: Cleaned) -> Rows:
    return Rows(
        read=len(reading.speeches) + reading.settings,
        kept=sum(len(episode.turns) for episode in cleaned.episodes),
        settings=reading.settings,
        dropped={reason: summarize_dropped(texts) for reason, texts in cleaned.dropped.items()},
    )


def _count_tokens(
    examples: Sequence[Example], tokenizer: str
) -> tuple[tokens.TokenStatistics | None, tuple[str, ...]]:
    if tokenizer == "none":
        return None, ()
    try:
        counter = tokens.load_counter(tokenizer)
    except tokens.NoTokenizerError as error:
        return None, (f"no token statistics: {error}",)
    name = tokens.DEFAULT_ENCODING if tokenizer == "auto" else tokenizer
    return tokens.summarize_lengths(tokens.count_lengths(examples, counter), name), ()


def _fingerprint(job: Job, files: Sequence[SourceFile] | None) -> str:
    code = [
        *sorted(Path(__file__).parent.glob("*.py")),
        Path(nothing_gpt.line.__file__),
        *sorted(Path(nothing_gpt.prompt.__file__).parent.glob("*.py")),
    ]
    source = job.source if files is None else [file.digest for file in files]
    return fingerprint([encode(job.show), job.format, job.tokenizer, source], code)


def _read_finished(out: Path) -> Report | None:
    """The report of an earlier run, if it and all its outputs are whole."""
    if not all((out / name).is_file() for name in OUTPUTS):
        return None
    try:
        return decode(Report, read_json(out / REPORT), str(out / REPORT))
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


def _check_enough(job: Job, cleaned: Cleaned, train: Sequence[Example]) -> None:
    if train:
        return
    longest = max((len(merge_turns(episode.turns)) for episode in cleaned.episodes), default=0)
    raise UserError(
        f"{job.source}: no episode to train on is long enough: of {len(cleaned.episodes)} the"
        f" longest has {longest} turns, and a window needs {job.show.windows.minimum}; give more"
        " or longer scripts, or lower 'minimum' in the show's [windows]"
    )
