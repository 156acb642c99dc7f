"""Checks that the evaluation measures what it says."""
