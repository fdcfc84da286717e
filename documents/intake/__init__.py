"""How files come in: checked, in parts, from an address, from a watched container."""
