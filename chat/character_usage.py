"""What characters were used for in the last thirty days, added up for the gallery's order and the administration."""

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from characters.gallery.services import UsageFigures, note_usage

WINDOW = timedelta(days=30)

# A message's own speaker where it has one, as in a group; else the conversation's.
_COUNT = """
SELECT coalesce(m.character_id, c.character_id), count(DISTINCT c.owner_id), count(DISTINCT c.id), count(r.id),
       coalesce(sum(r.completion_tokens), 0),
       count(*) FILTER (WHERE f.verdict = 'up'), count(*) FILTER (WHERE f.verdict = 'down')
FROM chat_reply r
JOIN chat_message m ON m.id = r.message_id
JOIN chat_conversation c ON c.id = m.conversation_id
LEFT JOIN chat_feedback f ON f.message_id = m.id
WHERE r.created_at >= %s AND coalesce(m.character_id, c.character_id) IS NOT NULL
GROUP BY 1
"""


def count_usage(now: datetime | None = None) -> None:
    """Bring the usage and the popularity of every character up to date."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [(now or timezone.now()) - WINDOW])
        rows = cursor.fetchall()
    note_usage([UsageFigures(*row) for row in rows])
