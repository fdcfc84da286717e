"""Letters in pictures, by tesseract where it is installed (`apt install tesseract-ocr`). No Django here.

The program gets a picture that we have decoded and written anew, never a stranger's bytes, and runs under the
limits of the process that calls it.
"""

import io
import subprocess
from functools import lru_cache

from PIL import Image

# 300 dots an inch are what tesseract was trained on; 200 read a page of 10 pt text as well in half the time.
DOTS_PER_INCH = 200
# An A4 page at 200 dots is 3.9 million; a drawing in A1 at 200 is 31.
PIXELS_MAX = 32_000_000
PAGE_SECONDS = 120
_PROGRAM = "tesseract"
# More languages at once make it slow and unsure.
_LANGUAGES_MAX = 4


@lru_cache(maxsize=1)
def languages() -> str:
    """The installed languages as tesseract wants them named, English first; empty without tesseract."""
    try:
        listed = subprocess.run(
            [_PROGRAM, "--list-langs"], capture_output=True, timeout=20, check=True, text=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    names = [
        name for line in listed.splitlines()[1:] if (name := line.strip()) and name not in ("osd", "equ")
    ]
    names.sort(key=lambda name: name != "eng")
    return "+".join(names[:_LANGUAGES_MAX])


def recognise(picture: Image.Image) -> str:
    """The text of the picture, paragraphs kept; empty if there is none. Raises OSError if tesseract fails."""
    buffer = io.BytesIO()
    picture.convert("L").save(buffer, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    command = [_PROGRAM, "stdin", "stdout", "-l", languages(), "--psm", "3"]
    try:
        done = subprocess.run(
            command, input=buffer.getvalue(), capture_output=True, timeout=PAGE_SECONDS, check=True
        )
    except subprocess.SubprocessError as error:
        raise OSError("tesseract failed") from error
    lines = [line.rstrip() for line in done.stdout.decode("utf-8", "replace").replace("\x0c", "").split("\n")]
    return "\n".join(lines).strip()
