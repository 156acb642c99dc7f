"""Pairs to learn from: scenes that fail a gate, and scenes of the same contexts that do not."""
