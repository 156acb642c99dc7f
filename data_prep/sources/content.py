"""The format of a script file, found by its contents."""

import re
from functools import partial
from typing import Literal

from data_prep.sources.source_files import SourceFile
from data_prep.sources.tables.columns import count_known, is_speech_header
from data_prep.sources.tables.csv_rows import find_header
from data_prep.sources.tables.records import CORNELL_MARK
from data_prep.sources.texts.html import is_html
from data_prep.sources.texts.subtitles import is_subtitles
from data_prep.sources.texts.transcript import is_transcript
from nothing_gpt.show import Corpus
from script_formats.fdx import is_fdx

TableFormat = Literal["csv", "json", "jsonl", "parquet", "cornell"]
ScriptFormat = Literal["fountain", "fdx", "transcript", "subtitles", "html", "pdf"]

_START = 1 << 18  # characters that show a format
_JSON = re.compile(r'\s*(?:\[\s*)?\{\s*"')
_JSON_LINES = re.compile(r"\s*\{.*\}\s*\n\s*\{")
_TABLES = (".csv", ".tsv")


def find_format(file: SourceFile, corpus: Corpus) -> TableFormat | ScriptFormat:
    """Find the format of a file.

    The show's kind decides between the formats of plain text: Fountain, transcript and CSV. All
    others say what they are.

    Raises:
        UserError: the file is neither text nor in another known format.
    """
    if file.data.startswith(b"%PDF-"):
        return "pdf"
    if file.data.startswith(b"PAR1"):
        return "parquet"
    with file.open_text() as text:
        start = text.read(_START)
    return _find_marked(start) or _find_plain(start, file, corpus)


def _find_marked(start: str) -> TableFormat | ScriptFormat | None:
    if is_fdx(start):
        return "fdx"
    if is_subtitles(start):
        return "subtitles"
    if is_html(start):
        return "html"
    if CORNELL_MARK in start.partition("\n")[0]:
        return "cornell"
    if _JSON.match(start):
        return "jsonl" if _JSON_LINES.match(start) else "json"
    return None


def _find_plain(start: str, file: SourceFile, corpus: Corpus) -> TableFormat | ScriptFormat:
    if corpus.kind:
        return "csv" if corpus.kind == "table" else corpus.kind
    first = start.lstrip("\r\n").partition("\n")[0]
    header = find_header(first, partial(count_known, corpus=corpus))
    if file.path.lower().endswith(_TABLES) or is_speech_header(header, corpus):
        return "csv"
    return choose_script(start, corpus)


def choose_script(text: str, corpus: Corpus) -> Literal["fountain", "transcript"]:
    """Choose between a screenplay and a transcript in plain text."""
    if corpus.kind in ("fountain", "transcript"):
        return corpus.kind
    return "transcript" if is_transcript(text) else "fountain"
