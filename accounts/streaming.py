"""Large answers, sent as they are made."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async


async def as_they_come(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, each made when the one before is sent: of a plain iterator Django would gather all before that.

    They are made in the request's own thread, which has its connection to the database.
    """

    def take() -> bytes:
        return next(pieces, b"")

    while piece := await sync_to_async(take)():
        yield piece
