"""vLLM as the engine: its command line, and the tables of its LoRA kernels."""
