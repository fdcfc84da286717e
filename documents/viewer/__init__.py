"""A document as a person sees it, with a passage marked."""
