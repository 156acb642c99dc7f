"""What all stages know of hardware: kinds of GPUs, bounds on torch's caches."""
