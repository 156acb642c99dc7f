"""Stage 5: scores of a served model's scenes, beside those of the show's own scenes."""

from nothing_gpt.lazy_app import lazy_app

__getattr__, __dir__ = lazy_app(__name__)
