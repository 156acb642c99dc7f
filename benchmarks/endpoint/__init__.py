"""Figures of a running endpoint and of the local engine."""
