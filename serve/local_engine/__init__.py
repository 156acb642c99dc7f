"""The engine for machines without a GPU: continuous batching over transformers and PEFT."""
