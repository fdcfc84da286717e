"""The servers as they are: what they have, how they do, and long work on them."""
