"""All four stages on one machine, as child processes."""
