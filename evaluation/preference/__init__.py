"""Pairs of continuations, and what votes on them say."""
