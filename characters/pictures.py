"""Pictures as files: an upload is checked, drawn anew without its metadata, and stored with a small one beside it.

A stored picture is named after its content, so the same picture is stored once, its address changes when it does,
and browsers may keep it. Nothing of the upload's bytes is kept: what hides behind or inside a picture stays out. Only
a card's files that have no place here are kept as they came, for the next export of that card.
Who may see it is the view's business.
"""

import hashlib
import io
import struct
import warnings
from dataclasses import dataclass

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from characters.errors import PictureRefused

MAX_BYTES = 8 * 1024 * 1024
# 24 megapixels is what a phone's camera takes; decoded it needs 96 MB, which a web process can spare for a moment.
MAX_PIXELS = 24_000_000
# WebP's own limit; a picture longer than this is a strip made to hurt, or a comic.
MAX_SIDE_PX = 16_383
FORMATS = ("PNG", "JPEG", "WEBP")
SIDE_PX = 512
# The longest side of what is kept whole: a portrait to crop again, an expression, a background on a wide screen.
WHOLE_PX = 1536
# The longest side of the small one: a card of the gallery has some 200 CSS pixels, a list 40.
SMALL_PX = 320
# Where all files of characters and personas lie in storage.
FOLDER = "characters"
# Between storing a file and the row that names it; a day covers a stalled process too.
WANTED_SECONDS = 86_400
# Small ones are some 10 kB, and a page of the gallery asks for dozens at once.
SMALL_KEPT_SECONDS = 86_400
# Flat colour shows ringing below 90; a portrait stays around 20 kB.
QUALITY = 90
_TOO_MANY_PIXELS = _("That picture has more than 24 megapixels. Scale it down and upload it again.")

# Pillow's decoders raise any of these for broken files.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    MemoryError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Crop:
    """A square of a picture, in shares of its width and height: where it begins, and its side as a share of the
    shorter one."""

    x: float
    y: float
    side: float


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture: WebP bytes and their size in pixels."""

    data: bytes
    width_px: int
    height_px: int


def encode_portrait(data: bytes, crop: Crop | None = None) -> bytes:
    """A square WebP of at most 512 px, cropped there or around the centre, without metadata.

    Raises `PictureRefused`.
    """
    picture = _decode(data)
    if crop is not None:
        picture = picture.crop(_crop_box(picture.size, crop))
    side = min(*picture.size, SIDE_PX)
    return save_webp(ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS))


def encode_whole(data: bytes, longest_px: int = WHOLE_PX) -> Picture:
    """The whole picture as WebP, its longer side at most `longest_px`, without metadata. Raises `PictureRefused`."""
    picture = _decode(data)
    picture.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    return Picture(save_webp(picture), *picture.size)


def count_pixels(data: bytes) -> int:
    """How many pixels an encoding would have to decode, by the file's header; 0 for what it would refuse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                pixels = picture.width * picture.height
    except (Image.DecompressionBombError, *_BROKEN):
        return 0
    return pixels if pixels <= MAX_PIXELS and len(data) <= MAX_BYTES else 0


def save_webp(picture: Image.Image) -> bytes:
    """The picture as WebP; the same picture gives the same bytes."""
    # A fresh image has no EXIF, profile or text that could travel along.
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    buffer = io.BytesIO()
    clean.save(buffer, "WEBP", quality=QUALITY, method=6)
    return buffer.getvalue()


def store_picture(data: bytes) -> str:
    """Put an encoded picture into storage, with its small one, unless it is there; return its name."""
    name = f"{FOLDER}/{hashlib.sha256(data).hexdigest()[:32]}.webp"
    mark_wanted(name)
    if keep_file(name, data):
        _store_small(name, data)
    return name


def store_words(text: str) -> str:
    """Put a Markdown text into storage unless it is there, and return its name."""
    return _store_as_it_is(text.encode(), "md")


def store_card_file(data: bytes) -> str:
    """Put a card's file as it came into storage unless it is there, and return its name.

    Nobody has looked at these bytes: they go out again inside a card, and are never served.
    """
    return _store_as_it_is(data, "bin")


def _store_as_it_is(data: bytes, extension: str) -> str:
    name = f"{FOLDER}/{hashlib.sha256(data).hexdigest()[:32]}.{extension}"
    mark_wanted(name)
    keep_file(name, data)
    return name


def keep_file(name: str, data: bytes) -> bool:
    """Put the bytes into storage under the name that they give themselves; False where they are there already, also
    when another process was quicker: what it stored are the same."""
    if default_storage.exists(name):
        return False
    try:
        default_storage.save(name, ContentFile(data))
    except ResourceExistsError:
        return False
    return True


def read_file(name: str) -> bytes:
    """What is stored under this name. Raises `FileNotFoundError`."""
    try:
        with default_storage.open(name) as file:
            data: bytes = file.read()
    # What Azure says where a file system says FileNotFoundError.
    except ResourceNotFoundError as error:
        raise FileNotFoundError(name) from error
    return data


def read_small(name: str) -> bytes:
    """The small one of a stored picture; made now if it was stored before there were any."""
    key = f"small-picture:{name}"
    data: bytes | None = cache.get(key)
    if data is None:
        try:
            data = read_file(small_name(name))
        except FileNotFoundError:
            data = _store_small(name, read_file(name))
        cache.set(key, data, SMALL_KEPT_SECONDS)
    return data


def small_name(name: str) -> str:
    """Where the small one of a picture is stored."""
    stem, _dot, extension = name.rpartition(".")
    return f"{stem}-small.{extension}"


def main_name(name: str) -> str:
    """The name of the picture that this one belongs to: that of a small one's whole, or its own."""
    stem, dot, extension = name.rpartition(".")
    return f"{stem.removesuffix('-small')}{dot}{extension}"


def mark_wanted(name: str) -> None:
    """Somebody is about to name this file in a row; the sweep leaves it alone."""
    cache.set(f"wanted-file:{name}", True, WANTED_SECONDS)


def is_wanted(name: str) -> bool:
    return bool(cache.get(f"wanted-file:{name}"))


def _store_small(name: str, data: bytes) -> bytes:
    small = small_name(name)
    with Image.open(io.BytesIO(data), formats=("WEBP",)) as picture:
        picture.thumbnail((SMALL_PX, SMALL_PX), Image.Resampling.LANCZOS)
        encoded = save_webp(picture)
    keep_file(small, encoded)
    return encoded


def _decode(data: bytes) -> Image.Image:
    """The first frame, upright, in RGB or RGBA."""
    if len(data) > MAX_BYTES:
        raise PictureRefused(_("That picture is larger than 8 MB. Save a smaller one and upload it again."))
    try:
        with warnings.catch_warnings():
            # Pillow only warns where a picture is too large; our own limit comes before any pixel is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if picture.width * picture.height > MAX_PIXELS:
            raise PictureRefused(_TOO_MANY_PIXELS)
        if max(picture.size) > MAX_SIDE_PX:
            raise PictureRefused(_("That picture is longer than 16,383 pixels. Crop it and upload it again."))
        upright = ImageOps.exif_transpose(picture)
        return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except PictureRefused:
        raise
    # Pillow's own limit, seven times ours, is looked at while the header is read.
    except Image.DecompressionBombError as error:
        raise PictureRefused(_TOO_MANY_PIXELS) from error
    except _BROKEN as error:
        raise PictureRefused from error


def _crop_box(size: tuple[int, int], crop: Crop) -> tuple[int, int, int, int]:
    width, height = size
    side = max(1, min(round(min(size) * crop.side), *size))
    left = max(0, min(round(width * crop.x), width - side))
    top = max(0, min(round(height * crop.y), height - side))
    return left, top, left + side, top + side
