"""Fine-tuning: from the examples of a show to a LoRA adapter that writes for its cast."""

from nothing_gpt.lazy_app import lazy_app

__getattr__, __dir__ = lazy_app(__name__)
