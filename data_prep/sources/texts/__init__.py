"""Readers of scripts as text: each makes a `script_formats.screenplay.Screenplay` of a file."""
