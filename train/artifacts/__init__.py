"""What a finished run leaves beside the weights: manifest, history, report, curves."""
