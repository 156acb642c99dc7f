"""Measurements of tuning by votes."""
