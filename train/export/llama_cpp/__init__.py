"""Export for llama.cpp and the programs that are built on it: one GGUF file, and a Modelfile."""
