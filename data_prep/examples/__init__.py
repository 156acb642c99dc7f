"""From speeches to training examples: cleaning, windows, the split, token counts."""
