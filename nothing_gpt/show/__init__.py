"""A show: its cast, prompt, corpus and settings, in one TOML file."""

from nothing_gpt.show.corpus import Columns, Corpus, Split, Titles, Windows
from nothing_gpt.show.loading import SHOWS, load_show, name_source, show_names, show_path
from nothing_gpt.show.prompt_text import CastFormatName, FormatName, Opening, PromptText
from nothing_gpt.show.show import Character, Generation, Show
from nothing_gpt.show.writing import quote_toml, render_show

__all__ = [
    "SHOWS",
    "CastFormatName",
    "Character",
    "Columns",
    "Corpus",
    "FormatName",
    "Generation",
    "Opening",
    "PromptText",
    "Show",
    "Split",
    "Titles",
    "Windows",
    "load_show",
    "name_source",
    "quote_toml",
    "render_show",
    "show_names",
    "show_path",
]
