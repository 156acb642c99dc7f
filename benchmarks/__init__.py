"""One script for each figure in RESULTS.md."""
