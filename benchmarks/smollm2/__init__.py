"""Figures of SmolLM2-135M: recipes, the two training paths, speed on a CPU."""
