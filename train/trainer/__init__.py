"""TRL's trainer, and what happens around its loop: callbacks, checkpoints, processes."""
