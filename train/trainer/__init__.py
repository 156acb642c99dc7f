"""TRL's trainer and its surroundings: callbacks, checkpoints, processes, tracking."""
