"""Comparison of the engines with training: the same tokens, the same losses."""
