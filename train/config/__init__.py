"""What a run does: hyperparameters, presets of the reference, warnings."""
