"""What is said to the reading process and by it: requests and how they ended over a socket, a packet each; pages
through a pipe, as messages of msgpack, each after its length. No Django here."""

import struct
from typing import BinaryIO

import msgspec

from documents.extraction.pages import ExtractedPage

LENGTH = struct.Struct(">I")
# Longer than the longest page a reader lets through, in UTF-8 with its headings; a child that has been taken
# over by its file must not make the parent allocate what it pleases.
MESSAGE_BYTES_MAX = 1024 * 1024


class Request(msgspec.Struct, frozen=True):
    """Read this file. The pipe for the answer comes with the packet."""

    path: str
    media_type: str
    cpu_seconds: int
    memory_bytes: int


class Ended(msgspec.Struct, frozen=True):
    """The file's reader is gone: its exit status, or the signal that ended it as a negative number."""

    status: int


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

encode_request = msgspec.msgpack.Encoder().encode
encode_ended = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(Request).decode
decode_ended = msgspec.msgpack.Decoder(Ended).decode

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
