"""Outgoing connections: where they may go, and how they fail."""
