"""Progress of a long computation."""
