"""The blind table read: a page on this machine that asks which of two continuations is better."""
