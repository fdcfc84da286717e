"""The portraits of the house's own cast, painted by program: flat gouache shapes, grained shade, one light.

The light falls from the upper left; every face has its shaded side. Each has a ground of its own that sits well on
a warm neutral page, light or dark. `brush` is what they are painted with, `features` what faces share.
"""

from collections.abc import Callable

from PIL import Image

from characters.portraits import anselm, bram, odile, tove

# Raise it when a drawing changes: houses whose administrators left the cast alone get the new one.
PORTRAITS_VERSION = 1

PORTRAITS: dict[str, Callable[[], Image.Image]] = {
    "odile": odile.draw,
    "bram": bram.draw,
    "tove": tove.draw,
    "anselm": anselm.draw,
}
