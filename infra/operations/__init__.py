"""What `estate.py` can do to an estate: one module for each command, and what they share.

`tools` runs other programs, `settings` reads a parameter file, `outputs` reads what a deployment left behind,
`product` talks to Parlour's own API. Nothing here knows Django.
"""
