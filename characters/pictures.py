"""Portraits as files: an upload is checked, cropped square, drawn anew without its metadata, and stored.

A stored picture is named after its content, so the same picture is stored once, its address changes when it does,
and browsers may keep it. Who may see it is the view's business.
"""

import hashlib
import io
import warnings

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from characters.errors import PictureRefused

MAX_BYTES = 8 * 1024 * 1024
# 24 megapixels is what a phone's camera takes; decoded it needs 96 MB, which a web process can spare for a moment.
MAX_PIXELS = 24_000_000
FORMATS = ("PNG", "JPEG", "WEBP")
SIDE_PX = 512
# Flat colour shows ringing below 90; a portrait stays around 20 kB.
QUALITY = 90


def encode_portrait(data: bytes) -> bytes:
    """A square WebP of at most 512 px, cropped around the centre, without metadata. Raises `PictureRefused`."""
    if len(data) > MAX_BYTES:
        raise PictureRefused(_("That picture is larger than 8 MB. Save a smaller one and upload it again."))
    try:
        with warnings.catch_warnings():
            # Pillow only warns where a picture is too large; our own limit comes before any pixel is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if picture.width * picture.height > MAX_PIXELS:
            raise PictureRefused(
                _("That picture has more than 24 megapixels. Scale it down and upload it again.")
            )
        upright = ImageOps.exif_transpose(picture)
        side = min(*upright.size, SIDE_PX)
        square = ImageOps.fit(upright.convert("RGBA"), (side, side), Image.Resampling.LANCZOS)
    except PictureRefused:
        raise
    # Pillow's decoders raise any of these for broken files.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, MemoryError, EOFError) as error:
        raise PictureRefused from error
    return save_webp(square)


def save_webp(picture: Image.Image) -> bytes:
    """The picture as WebP; the same picture gives the same bytes."""
    # A fresh image has no EXIF, profile or text that could travel along.
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    buffer = io.BytesIO()
    clean.save(buffer, "WEBP", quality=QUALITY, method=6)
    return buffer.getvalue()


def store_portrait(data: bytes) -> str:
    """Put an encoded portrait into storage unless it is there, and return its name."""
    name = f"characters/{hashlib.sha256(data).hexdigest()[:32]}.webp"
    return name if default_storage.exists(name) else default_storage.save(name, ContentFile(data))
