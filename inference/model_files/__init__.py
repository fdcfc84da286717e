"""GGUF files: where they come from, what their heads say, and who serves them."""
