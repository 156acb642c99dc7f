"""Alternatives of lines in the middle of a scene, and their order by what follows them."""
