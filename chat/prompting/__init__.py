"""What a model reads of a character, a person and their chat, in parts that a person can look at afterwards."""
