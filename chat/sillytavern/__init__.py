"""A SillyTavern data folder comes in: characters, lorebooks, personas and chats, with a line for everything.

`folder` reads a folder or a ZIP of one, `chats` understands its JSONL (pure), `importing` writes rows.
Formats: docs.sillytavern.app, and files of the releases 1.10 to 1.13.
"""
