"""Requests to a model and what comes back; nothing of Gradio."""
