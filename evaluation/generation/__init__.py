"""Scenes of a served model: requests, and the file that keeps them."""
