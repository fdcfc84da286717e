"""The built-in `quotes` model: answers without a language model, by quoting."""
