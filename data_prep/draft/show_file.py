"""A draft as a show file, with everything that is to be confirmed in comments."""

import os
from collections.abc import Iterator
from pathlib import Path

from data_prep.draft.show_draft import Member, ShowDraft, draft_show
from data_prep.sources.downloads import download, is_downloaded
from data_prep.sources.reading import read_sources
from data_prep.sources.source_files import read_files
from nothing_gpt.errors import UserError
from nothing_gpt.files import write_text
from nothing_gpt.show import Corpus, Windows, load_show, name_source, quote_toml

_SHOWN_SUSPECTS = 5


def write_draft(source: str, path: Path, name: str = "") -> ShowDraft | None:
    """Draft a show from scripts and write its file.

    A file that is there already stays as it is, with what its owner has changed in it.

    Args:
        name: The show's; "" for one after the name of the scripts.

    Returns:
        The draft, None if the file was there.

    Raises:
        UserError: the scripts cannot be read or are one episode, or the file is of others.
    """
    place = source if is_downloaded(source) else os.path.realpath(source)
    if path.exists():
        if load_show(str(path)).corpus.source != place:
            raise UserError(
                f"{path}: is the show file of other scripts; move it, or choose another with --out"
            )
        return None
    corpus = Corpus(place, "")
    files = read_files(download(place) if is_downloaded(place) else Path(place), corpus)
    name = name or name_source(source)
    title = name.replace("_", " ").title()
    draft = draft_show(name, title, place, read_sources(files, corpus))
    if draft.episodes < 2:
        raise UserError(
            f"{source}: is one episode, and training needs another to hold out; give each episode"
            " a file of its own, or name the table's column of episodes in a show file"
        )
    write_text(path, render_draft(draft))
    return draft


def render_draft(draft: ShowDraft) -> str:
    """Render a show file."""
    return "\n".join(_render_lines(draft)) + "\n"


def _render_lines(draft: ShowDraft) -> Iterator[str]:
    yield f"# A draft, made from {quote_toml(draft.source)}. Everything in it can be changed."
    yield ""
    yield f"name = {quote_toml(draft.name)}"
    yield f"title = {quote_toml(draft.title)}  # after the name of the scripts"
    yield ""
    episodes, others = f"{draft.episodes:,} episodes", f"{draft.others:,} others"
    yield f"# Those with the most lines in {episodes}; {others} speak too. A voice, such as"
    yield '# voice = "dry, short, believes in forms", helps the model.'
    for member in draft.cast:
        yield from _render_member(member)
    yield ""
    yield "[corpus]"
    yield f"source = {quote_toml(draft.source)}"
    yield 'licence = "not stated"  # train on scripts that you may use, and say here why you may'
    if draft.setting_markers:
        yield f"setting_markers = [{', '.join(map(quote_toml, draft.setting_markers))}]"
    yield ""
    yield f"# {draft.count:,} windows of turns, an example each."
    yield "[windows]"
    for key in Windows.__slots__:
        yield f"{key} = {getattr(draft.windows, key)}"


def _render_member(member: Member) -> Iterator[str]:
    yield ""
    yield "[[cast]]"
    yield f"name = {quote_toml(member.name)}  # {member.share:.1%} of the lines"
    if member.suspects:
        names = [name for name, _ in member.suspects[:_SHOWN_SUSPECTS]]
        counts = ", ".join(f"{count:,}" for _, count in member.suspects[:_SHOWN_SUSPECTS])
        aliases = ", ".join(map(quote_toml, names))
        yield f"# aliases = [{aliases}]  # the same person? Lines: {counts}"
