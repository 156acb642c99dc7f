"""Estimates of a run on a GPU: memory, hours, dollars."""
