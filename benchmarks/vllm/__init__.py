"""Benchmarks of vLLM on a GPU."""
