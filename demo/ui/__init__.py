"""The page: Gradio components, the HTML of the script, and the values that show a session."""
