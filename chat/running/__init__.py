"""What keeps a running reply whole: its log, its lease, its checkpoints, and those who follow it."""
