"""How good and how fast retrieval is, as numbers."""
