"""API keys: their file, their limits, and what was used of them."""
