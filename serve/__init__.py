"""The OpenAI-compatible endpoint: vLLM on a GPU, a local engine on machines without one."""

from nothing_gpt.lazy_app import lazy_app

__getattr__, __dir__ = lazy_app(__name__)
