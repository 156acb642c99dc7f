"""Stage 5: scores of a served model's scenes, beside those of the show's own scenes."""
