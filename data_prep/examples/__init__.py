"""Training examples from speeches: cleaning, windows, the split and token counts."""
