"""What a training shows while it runs: its state, sample scenes, and a page of both."""
