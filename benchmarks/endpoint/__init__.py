"""Benchmarks of a running endpoint, whichever engine serves it."""
