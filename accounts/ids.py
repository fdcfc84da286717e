"""Identifiers that leave the process: UUIDv7 (RFC 9562), so that new rows sort last and never collide."""

import uuid

import uuid_utils.compat


def uuid7() -> uuid.UUID:
    """A new time-ordered UUID, version 7."""
    return uuid_utils.compat.uuid7()
