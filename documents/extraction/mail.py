"""Mails: who, to whom, when, about what, then what was written; attachments by name. No Django here."""

from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, Message, MIMEPart
from email.parser import BytesParser
from itertools import islice
from pathlib import Path

from documents.extraction.formats import Unreadable
from documents.extraction.markup import html_blocks
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages
from documents.extraction.plain import paragraphs

_HEADERS = ("From", "To", "Cc", "Date")
_PARTS_MAX = 1000
# A mail in a mail in a mail.
_DEPTH_MAX = 3


def read_mail(path: Path) -> tuple[int, Iterator[ExtractedPage]]:
    """How many pages there are and the pages, each about a printed one."""
    with path.open("rb") as file:
        message = BytesParser(policy=policy.default).parse(file)
    blocks = list(_blocks(message))
    pages = list(flow_into_pages(blocks, has_page_breaks=False))
    if not pages:
        raise Unreadable("text_missing")
    return len(pages), iter(pages)


def _blocks(message: EmailMessage, depth: int = 0) -> Iterator[Block]:
    """A mail, and those within it that were forwarded whole."""
    subject = _header(message, "Subject")
    if subject:
        yield Block(subject, level=depth, is_title=depth == 0)
    lines = [f"{name}: {value}" for name in _HEADERS if (value := _header(message, name))]
    if lines:
        yield Block("\n".join(lines))
    body = message.get_body(("plain", "html"))
    if body is not None:
        text = _content(body)
        yield from (
            html_blocks(text, is_part=True) if body.get_content_type() == "text/html" else paragraphs(text)
        )
    if depth < _DEPTH_MAX:
        for inner in islice(_forwarded(message), _PARTS_MAX):
            yield from _blocks(inner, depth + 1)
    if depth:
        return
    names = [name for part in list(message.walk())[:_PARTS_MAX] if (name := part.get_filename())]
    if names:
        yield Block("Attachments: " + ", ".join(" ".join(str(name).split()) for name in names))


def _forwarded(message: EmailMessage) -> Iterator[EmailMessage]:
    for part in message.iter_parts() if message.is_multipart() else ():
        if part.get_content_type() == "message/rfc822" and part.is_multipart():
            yield from (inner for inner in part.iter_parts() if isinstance(inner, EmailMessage))


def _header(message: Message, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, IndexError, AttributeError, TypeError):
        # A header that the parser cannot make sense of is no reason to lose the mail.
        return ""


def _content(part: MIMEPart) -> str:
    try:
        content = part.get_content()
    except (LookupError, ValueError, KeyError):
        payload = part.get_payload(decode=True)
        content = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return str(content).replace("\r\n", "\n").replace("\x00", "")
