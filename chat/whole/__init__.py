"""Tasks about whole documents: a summary, a comparison, a table of key facts.

A task is a kind of question: a message carries it, and its answer is a reply like every other. What differs is what
the model reads: not passages that a search has found, but the documents from the first page to the last, in parts
where they do not fit its context.
"""
