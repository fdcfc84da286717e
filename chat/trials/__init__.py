"""Which model answers better, as people judge it."""
