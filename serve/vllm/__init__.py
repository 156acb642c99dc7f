"""vLLM as the engine: its command line, its process, and the tile sizes of its LoRA kernels."""
