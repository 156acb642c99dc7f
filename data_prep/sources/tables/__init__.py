"""Readers of tables: one speech a row."""
