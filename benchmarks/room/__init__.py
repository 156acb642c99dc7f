"""Figures of the room."""
