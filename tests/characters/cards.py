"""A card to test with, and how to tell that nothing of it is lost."""

import base64
import io
from typing import Any

from PIL import Image

from characters.cards import png
from characters.cards.jsons import dump

CARD = {
    "spec": "chara_card_v3",
    "spec_version": "3.0",
    "data": {
        "name": "Ida Ferry",
        "nickname": "Ida",
        "description": "{{char}} rows {{user}} across.",
        "personality": "dry",
        "scenario": "A river\r\nat night.",
        "first_mes": "Come aboard, {{user}}.",
        "mes_example": "<START>\n{{user}}: Is it far?\n{{char}}: Far enough.",
        "alternate_greetings": ["Mind the step.", ""],
        "group_only_greetings": [],
        "system_prompt": "{{original}} Speak briefly.",
        "post_history_instructions": "Stay in the boat.",
        "creator_notes": "Made for a test.",
        "creator": "Ada",
        "character_version": "1.2",
        "tags": ["Water", "Night", "x" * 60],
        "extensions": {
            "talkativeness": "0.4",
            "parlour": {"tagline": "Rows at night.", "sampling": {"top_p": 0.9}},
        },
        "character_book": {
            "name": "The river",
            "extensions": {"of": "book"},
            "entries": [
                {
                    "keys": ["ferry"],
                    "content": "@@depth 1\nIt leaks.",
                    "enabled": True,
                    "insertion_order": 5,
                    "use_regex": False,
                    "extensions": {"depth": 2},
                }
            ],
        },
        "assets": [{"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"}],
    },
}


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def in_png(card: object, keyword: str = "chara") -> bytes:
    return png.with_texts(picture(), {keyword: base64.b64encode(dump(card).encode()).decode()})


GONE = object()


def missing(before: Any, after: Any, path: str = "") -> list[str]:
    """Where `after` lacks or changes what `before` says; more is allowed in objects."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            place
            for key, value in before.items()
            for place in missing(value, after.get(key, GONE), f"{path}.{key}")
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            place
            for n, (old, new) in enumerate(zip(before, after, strict=True))
            for place in missing(old, new, f"{path}[{n}]")
        ]
    return [] if before == after and type(before) is type(after) else [f"{path}: {before!r} became {after!r}"]
