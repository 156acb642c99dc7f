"""Gradio's event handlers: what happens when a writer does something."""
