"""Figures of vLLM on a GPU."""
