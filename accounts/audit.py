"""The record of what people did: who, what, to which row. Administrators read it; nobody changes it.

Services call `record` inside the transaction that makes the change, so that both stand or neither does. It keeps
names and ids, never what was said, and never a secret.
"""

from django.db.models import Model

from accounts.models import AuditEntry, User


def record(*, actor: User | None, verb: str, target: Model) -> None:
    """Write that `actor` (None: the house itself) did `verb` to `target`, whose name is kept beside its id."""
    limit = AuditEntry._meta.get_field("target_name").max_length
    AuditEntry.objects.create(
        actor=actor,
        verb=verb,
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        target_name=str(target)[:limit],
    )
