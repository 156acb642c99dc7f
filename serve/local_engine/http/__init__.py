"""The HTTP side of the local engine: its process and its routes."""
