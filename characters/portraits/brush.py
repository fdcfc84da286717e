"""What portraits are painted with: smooth shapes, tapered strokes and grained shade on one canvas.

Everything is placed in a square of 100 × 100 with y downwards, painted four times larger than it is kept, and
depends on nothing but its arguments: the same strokes give the same picture. Who is painted is in
`characters.portraits`.
"""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageColor, ImageDraw

Point = tuple[float, float]
Mask = Image.Image
Depth = np.ndarray[tuple[int, int], np.dtype[np.float64]]

SIDE_PX = 512
# Edges are averaged over 4 × 4 dots: finer shows no difference at the size of a chat's portrait.
_SCALE = 4
_PX = SIDE_PX * _SCALE
_UNIT = _PX / 100
# Grain as fine as a printed stipple: about one dot of the kept picture.
_GRAIN_PX = 700
_STEPS = 14


def curve(points: Sequence[Point], *, closed: bool = True) -> list[Point]:
    """A Catmull-Rom curve through the points, as many short lines."""
    count = len(points)
    picked = range(count) if closed else range(count - 1)
    line: list[Point] = []
    for i in picked:
        if closed:
            p0, p1, p2, p3 = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        else:
            p0, p1, p2, p3 = (points[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2))
        for step in range(_STEPS):
            t = step / _STEPS
            line.append(
                tuple(  # type: ignore[arg-type]
                    0.5
                    * (
                        2 * b
                        + (c - a) * t
                        + (2 * a - 5 * b + 4 * c - d) * t * t
                        + (3 * b - a - 3 * c + d) * t * t * t
                    )
                    for a, b, c, d in zip(p0, p1, p2, p3, strict=True)
                )
            )
    if not closed:
        line.append(points[-1])
    return line


def turn(points: Sequence[Point], degrees: float, around: Point) -> list[Point]:
    """The points turned clockwise around one of them: a head that leans."""
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return [
        (
            around[0] + (x - around[0]) * cos - (y - around[1]) * sin,
            around[1] + (x - around[0]) * sin + (y - around[1]) * cos,
        )
        for x, y in points
    ]


def oval(centre: Point, width: float, height: float) -> list[Point]:
    """An ellipse of these radii as a line."""
    return [
        (centre[0] + width * math.cos(a / 36 * math.pi), centre[1] + height * math.sin(a / 36 * math.pi))
        for a in range(72)
    ]


class Canvas:
    """A picture in the making. `lean` turns all that is painted while it is set, around `pivot`."""

    def __init__(self, ground: str) -> None:
        self._image = Image.new("RGB", (_PX, _PX), ground)
        self._noise = Image.fromarray(
            np.random.default_rng(7).integers(0, 256, (_GRAIN_PX, _GRAIN_PX), dtype=np.uint8)
        ).resize((_PX, _PX), Image.Resampling.BILINEAR)
        across = np.linspace(0, 100, SIDE_PX)
        self._across, self._down = np.meshgrid(across, across)
        self.lean = 0.0
        self.pivot: Point = (50, 70)

    def mask(self, points: Sequence[Point]) -> Mask:
        """The area inside a line of points."""
        mask = Image.new("L", (_PX, _PX))
        placed = turn(points, self.lean, self.pivot) if self.lean else points
        ImageDraw.Draw(mask).polygon([(x * _UNIT, y * _UNIT) for x, y in placed], fill=255)
        return mask

    def blob(
        self, points: Sequence[Point], colour: str, *, within: Mask | None = None, opacity: float = 1
    ) -> Mask:
        """Fill the smooth shape through the points, and return its area for what belongs on it."""
        return self.fill(self.mask(curve(points)), colour, within=within, opacity=opacity)

    def fill(self, mask: Mask, colour: str, *, within: Mask | None = None, opacity: float = 1) -> Mask:
        area = ImageChops.multiply(mask, within) if within else mask
        self._paint(area, colour, opacity)
        return area

    def _paint(self, area: Mask, colour: str, opacity: float) -> None:
        # Most strokes are small: only the part of the canvas that they touch is worked on.
        box = area.getbbox()
        if box:
            dots = area.crop(box)
            self._image.paste(
                ImageColor.getrgb(colour),
                box,
                dots.point(lambda value: round(value * opacity)) if opacity < 1 else dots,
            )

    def stroke(
        self,
        points: Sequence[Point],
        colour: str,
        width: float,
        *,
        within: Mask | None = None,
        even: bool = False,
    ) -> None:
        """A brush line through the points: thin, full, thin again; `even` keeps one width, round at the ends."""
        line = curve(points, closed=False)
        left, right = [], []
        for i, (x, y) in enumerate(line):
            before, after = line[max(i - 1, 0)], line[min(i + 1, len(line) - 1)]
            dx, dy = after[0] - before[0], after[1] - before[1]
            length = math.hypot(dx, dy) or 1
            half = width / 2 * (1 if even else 0.22 + 0.78 * math.sin(math.pi * i / (len(line) - 1)))
            left.append((x - dy / length * half, y + dx / length * half))
            right.append((x + dy / length * half, y - dx / length * half))
        mask = self.mask([*left, *reversed(right)])
        if even:
            for end in (line[0], line[-1]):
                mask = ImageChops.lighter(mask, self.mask(oval(end, width / 2, width / 2)))
        self.fill(mask, colour, within=within)

    def shade(
        self, within: Mask, colour: str, start: Point, end: Point, *, strength: float = 1, grain: float = 0.55
    ) -> None:
        """Stipple that grows from nothing at `start` to full at `end`, inside an area."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        depth = ((self._across - start[0]) * dx + (self._down - start[1]) * dy) / (dx * dx + dy * dy)
        self._stipple(depth, within, colour, strength, grain)

    def glow(
        self,
        within: Mask,
        colour: str,
        centre: Point,
        radius: float,
        *,
        strength: float = 1,
        grain: float = 0.55,
    ) -> None:
        """Stipple that fades outwards from a point: lamp light, a warm cheek."""
        centre = turn([centre], self.lean, self.pivot)[0] if self.lean else centre
        self._stipple(
            1 - np.hypot(self._across - centre[0], self._down - centre[1]) / radius,
            within,
            colour,
            strength,
            grain,
        )

    def _stipple(self, depth: Depth, within: Mask, colour: str, strength: float, grain: float) -> None:
        small = Image.fromarray((np.clip(depth, 0, 1) * 255).astype(np.uint8))
        box = within.getbbox()
        if not box:
            return
        scaled = (box[0] / _SCALE, box[1] / _SCALE, box[2] / _SCALE, box[3] / _SCALE)
        size = (box[2] - box[0], box[3] - box[1])
        tone = small.resize(size, Image.Resampling.BILINEAR, box=scaled)
        # Between a smooth wash (the tone itself) and dots (where the tone beats the noise).
        dots = ImageChops.subtract(tone, self._noise.crop(box)).point(lambda value: 255 if value else 0)
        paint = ImageChops.multiply(Image.blend(tone, dots, grain), within.crop(box))
        self._image.paste(ImageColor.getrgb(colour), box, paint.point(lambda value: round(value * strength)))

    def finish(self, top_left: Point = (0, 0), side: float = 100) -> Image.Image:
        """The picture as it is kept: a square of this side, cut out and scaled down."""
        box = tuple(round(value * _UNIT) for value in (*top_left, top_left[0] + side, top_left[1] + side))
        return self._image.crop(box).resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)  # type: ignore[arg-type]
