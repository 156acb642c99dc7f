"""The page: Gradio components, HTML, and the values that show a session's state."""
