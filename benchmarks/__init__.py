"""Commands that measure the figures in RESULTS.md, one module for each kind of figure."""
