"""What was used and what would be needed, as numbers and drawings."""
