"""The OpenAI-compatible endpoint: vLLM on a GPU, a local engine on machines without one."""
