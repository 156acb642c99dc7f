"""Screenplays as files: Fountain and Final Draft's FDX, read and written.

One element model (`script_formats.screenplay`) for data_prep, which reads scripts, and demo, which
imports and exports scenes. The library screenplay-tools is used in this package alone.
"""
