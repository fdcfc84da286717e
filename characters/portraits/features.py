"""What every portrait shares: skin in four tones, a face lit from the left, eyes, nose, neck, an arch."""

from collections.abc import Sequence
from dataclasses import dataclass

from characters.portraits.brush import Canvas, Mask, Point, oval


@dataclass(frozen=True, slots=True)
class Skin:
    """The four tones of a face."""

    light: str
    base: str
    shade: str
    deep: str


def mirrored(half: Sequence[Point], centre: float = 50) -> list[Point]:
    """A closed outline from its right half, given from the top down."""
    return [*half, *((2 * centre - x, y) for x, y in reversed(half) if x != centre)]


def paint_face(canvas: Canvas, skin: Skin, outline: list[Point]) -> Mask:
    face = canvas.blob(outline, skin.base)
    # The side away from the light, cut hard along cheekbone and jaw.
    side = [
        (58, 18),
        (57.5, 30),
        (60.5, 37),
        (59.5, 45),
        (62, 51),
        (57, 58),
        (52, 64),
        (58, 72),
        (76, 70),
        (78, 20),
    ]
    canvas.blob(side, skin.shade, within=face)
    canvas.glow(face, skin.light, (43, 32), 19, strength=0.75)
    return face


def paint_nose(canvas: Canvas, skin: Skin, tip: Point, *, width: float = 3.2, length: float = 11) -> None:
    x, y = tip
    canvas.blob(
        [
            (x + 0.4, y - length),
            (x + 1.4, y - length * 0.45),
            (x + width, y - 0.9),
            (x + width * 0.75, y + 0.9),
            (x - 0.6, y + 1.1),
            (x + 0.3, y - length * 0.4),
        ],
        skin.shade,
    )
    canvas.stroke(
        [(x - width * 0.75, y + 0.3), (x - 0.2, y + 1.4), (x + width * 0.9, y + 0.2)], skin.deep, 0.9
    )


def paint_eye(canvas: Canvas, centre: Point, ink: str, *, white: str | None = None, droop: float = 0) -> None:
    x, y = centre
    outer = 1 if x > 50 else -1
    if white:
        canvas.blob([(x - 3.1, y + 0.3), (x, y - 1.5), (x + 3.1, y + 0.3), (x, y + 1.5)], white)
    canvas.fill(canvas.mask(oval((x, y + 0.1), 1.45, 1.65)), ink)
    canvas.fill(canvas.mask(oval((x - 0.5, y - 0.5), 0.42, 0.42)), "#fff7ea")
    canvas.stroke([(x - outer * 3.0, y + 0.2), (x, y - 1.75), (x + outer * 3.4, y + droop)], ink, 1.0)


def paint_arch(canvas: Canvas, colour: str, centre: Point, half_width: float) -> Mask:
    x, y = centre
    top = [(x + half_width * dx, y + half_width * dy) for dx, dy in oval((0, 0), 1, 1)[36:]]
    return canvas.fill(
        canvas.mask([(x - half_width, 110), *top, (x + half_width, y), (x + half_width, 110)]), colour
    )


def paint_neck(canvas: Canvas, skin: Skin, half_width: float) -> None:
    w = half_width
    outline = [
        (50 - w, 52),
        (50 + w, 52),
        (50.5 + w, 73),
        (54 + w, 80),
        (50, 86),
        (46 - w, 80),
        (49.5 - w, 73),
    ]
    neck = canvas.blob(outline, skin.base)
    # The shadow of the chin.
    cast = [
        (50 - w - 2, 58),
        (47, 65),
        (54, 68),
        (50 + w + 3, 58),
        (54 + w, 82),
        (52 + w / 2, 80),
        (50, 72),
        (45, 68),
    ]
    canvas.blob(cast, skin.deep, within=neck, opacity=0.8)
