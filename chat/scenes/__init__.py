"""What a chat is set up with: persona, note, group, opening; and what its model was shown."""
