"""The files beside an adapter's weights that several stages read."""
