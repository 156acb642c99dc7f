"""Tuning of an adapter by people's votes, and the checks that can refuse the result."""
