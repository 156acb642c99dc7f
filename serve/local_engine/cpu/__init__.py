"""A faster forward pass of Llama for CPUs."""
