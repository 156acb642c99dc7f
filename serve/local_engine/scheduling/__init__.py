"""Continuous batching: jobs, the thread that advances them, sampling and stop strings."""
