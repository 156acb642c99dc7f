"""Benchmark of the writers' room under load."""
