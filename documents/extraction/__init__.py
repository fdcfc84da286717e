"""From bytes to pages of text, in a child process that may die alone.

`formats` tells what a file really is, one module per format reads it, `child` runs a reader under limits and
streams its pages out, `parent` starts the child and watches it. Nothing in here but `parent` runs in a process
that holds a secret or a database connection, and nothing but `parent` may import Django.
"""
