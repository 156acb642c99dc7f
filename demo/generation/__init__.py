"""Requests to a model and the reading of its answers, without Gradio."""
