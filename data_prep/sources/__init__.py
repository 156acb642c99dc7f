"""Readers of script files: from bytes to speeches."""
