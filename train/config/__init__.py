"""What a run does: hyperparameters, the reference's presets, resolved names and paths."""
