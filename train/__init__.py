"""Fine-tuning: from the examples of a show to a LoRA adapter that writes for its cast."""
