"""What the reading child writes to its standard output: messages of msgpack, each after its length. No Django here."""

import struct
from typing import BinaryIO

import msgspec

from documents.extraction.pages import ExtractedPage

LENGTH = struct.Struct(">I")
# Longer than the longest page a reader lets through, in UTF-8 with its headings; a child that has been taken
# over by its file must not make the parent allocate what it pleases.
MESSAGE_BYTES_MAX = 1024 * 1024


class Steps(msgspec.Struct, frozen=True, tag="steps"):
    """How far it is: `done` of `total` pages read."""

    done: int
    total: int


class PageRead(msgspec.Struct, frozen=True, tag="page"):
    """The next page of the document."""

    page: ExtractedPage


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """There will be no more pages; `code` names an error of `documents.errors`."""

    code: str


class End(msgspec.Struct, frozen=True, tag="end"):
    """All pages were sent."""


Message = Steps | PageRead | Failure | End

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message)


def write_message(stream: BinaryIO, message: Message) -> None:
    """Append one message to the stream."""
    data = _encoder.encode(message)
    stream.write(LENGTH.pack(len(data)) + data)


def decode_message(data: bytes) -> Message:
    """The message in `data`; raises `msgspec.MsgspecError` for anything else."""
    message: Message = _decoder.decode(data)
    return message
