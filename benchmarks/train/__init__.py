"""Benchmarks of training at full size on a GPU."""
