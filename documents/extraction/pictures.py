"""Pictures: a page for each frame, with the letters that tesseract finds in it. No Django here.

Without tesseract a picture may still be read by a model that sees: `documents.ingest.recognition` tries that.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from documents.extraction import ocr
from documents.extraction.formats import Unreadable
from documents.extraction.pages import ExtractedPage
from documents.extraction.plain import pages_of_text

# A fax of many pages is one TIFF; an animation is not read frame by frame.
FRAMES_MAX = 500


def read_picture(path: Path) -> tuple[int, Iterator[ExtractedPage | None]]:
    """How many frames there are; None for each as it is read, then its pages."""
    Image.MAX_IMAGE_PIXELS = ocr.PIXELS_MAX
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        picture = Image.open(path)
        frames = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable("content_too_large") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise Unreadable("file_damaged") from error
    if not ocr.languages():
        raise Unreadable("pictures_unreadable")
    if frames > FRAMES_MAX:
        raise Unreadable("content_too_large")
    return frames, _read(picture, frames)


def _read(picture: Image.Image, frames: int) -> Iterator[ExtractedPage | None]:
    has_text = False
    for index in range(frames):
        try:
            picture.seek(index)
            text = ocr.recognise(picture)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise Unreadable("content_too_large") from error
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise Unreadable("file_damaged") from error
        yield None
        if text:
            has_text = True
            yield from pages_of_text(text)[1]
        elif frames > 1:
            yield ExtractedPage("")
    if not has_text:
        raise Unreadable("text_missing")
