"""Who can use the room, and what of it: login, limits, and the gate in front of Gradio."""
