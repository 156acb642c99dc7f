"""A job of the stage, and the fingerprint of everything that its output depends on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nothing_gpt.line
import nothing_gpt.prompt
import nothing_gpt.quotation
import script_formats
from data_prep.sources.source_files import SourceFile
from nothing_gpt.files import fingerprint
from nothing_gpt.records import encode
from nothing_gpt.show import FormatName, Show


@dataclass(frozen=True, slots=True)
class PreparationJob:
    """What to prepare, from which source and into which folder.

    Attributes:
        source: A path, `kaggle:OWNER/NAME` or `hf:OWNER/NAME`.
        tokenizer: As `load_counter` takes it, or `none`.
    """

    show: Show
    source: str
    out: Path
    format: FormatName
    tokenizer: str = "auto"


def fingerprint_inputs(job: PreparationJob, files: Sequence[SourceFile] | None) -> str:
    """Return the fingerprint of the job, its script files and the code that processes them.

    Args:
        files: The script files; None for a data set to download, of which only the name counts.
    """
    code = [
        *_list_code(Path(__file__).parent),
        Path(nothing_gpt.line.__file__),
        Path(nothing_gpt.quotation.__file__),
        *_list_code(Path(nothing_gpt.prompt.__file__).parent),
        *_list_code(Path(script_formats.__file__).parent),
    ]
    source = job.source if files is None else [file.digest for file in files]
    return fingerprint([encode(job.show), job.format, job.tokenizer, source], code)


def _list_code(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))
