"""Pictures and recordings through models: what a model sees or hears, as pages. The worker asks, not the reader's
process, which may reach nothing.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from documents.errors import ContentTooLarge, PicturesUnreadable, SpeechUnreadable, TextMissing
from documents.extraction.formats import MediaType
from documents.extraction.pages import Block, ExtractedPage, flow_into_pages
from documents.extraction.plain import pages_of_text
from inference.errors import ModelUnavailable, RequestRejected, TranscriptionUnavailable
from inference.transcription import Segment, transcribe
from inference.vision import ask_about_picture

# Servers take 20 to 25 MB in a request.
PICTURE_BYTES_MAX = 16 * 1024 * 1024
# The recording travels in one request: ten hours of speech as MP3.
RECORDING_BYTES_MAX = 200 * 1024 * 1024
# A mark in the transcript this often says where in the recording a passage is.
MARK_SECONDS = 60.0

_QUESTION = (
    "Write down every word that stands in this picture, in reading order, tables row by row. Then describe in a "
    "few plain sentences what the picture shows. Answer with nothing else."
)


def look_at(path: Path, media_type: str) -> list[ExtractedPage]:
    """What a model reads and sees in the picture; `PicturesUnreadable` where no model sees or this one cannot."""
    if path.stat().st_size > PICTURE_BYTES_MAX:
        raise ContentTooLarge
    try:
        text = ask_about_picture(_QUESTION, path.read_bytes(), media_type=media_type)
    except (ModelUnavailable, RequestRejected) as error:
        raise PicturesUnreadable from error
    return _pages(pages_of_text(text)[1] if text.strip() else iter(()))


def listen_to(path: Path, name: str, media_type: str) -> list[ExtractedPage]:
    """What is said in the recording, with the time at the start of every minute or so."""
    if path.stat().st_size > RECORDING_BYTES_MAX:
        raise ContentTooLarge
    try:
        with path.open("rb") as file:
            transcript = transcribe(file, name=_named(name, media_type))
    except (TranscriptionUnavailable, ModelUnavailable, RequestRejected) as error:
        raise SpeechUnreadable from error
    if transcript.segments:
        return _pages(flow_into_pages(_timed(transcript.segments), has_page_breaks=False))
    return _pages(pages_of_text(transcript.text)[1] if transcript.text.strip() else iter(()))


def _pages(pages: Iterator[ExtractedPage]) -> list[ExtractedPage]:
    found = list(pages)
    if not found:
        raise TextMissing
    return found


def _named(name: str, media_type: str) -> str:
    """Servers tell the format by the ending."""
    endings = {MediaType.MP3: ".mp3", MediaType.M4A: ".m4a", MediaType.WEBM: ".webm"}
    ending = endings.get(MediaType(media_type), f".{media_type.rpartition('/')[2]}")
    return name if name.lower().endswith(ending) else f"recording{ending}"


def _timed(segments: Sequence[Segment]) -> Iterator[Block]:
    words: list[str] = []
    began = segments[0].start_seconds
    for segment in segments:
        if words and segment.start_seconds - began >= MARK_SECONDS:
            yield Block(f"[{_clock(began)}] {' '.join(words)}")
            words, began = [], segment.start_seconds
        words.append(segment.text)
    if words:
        yield Block(f"[{_clock(began)}] {' '.join(words)}")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
