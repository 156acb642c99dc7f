"""Scores of a served model's scenes, next to the scores of the scripts themselves."""
