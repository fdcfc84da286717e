"""Anselm, the night porter: a peaked cap, a white moustache, a moon in the window."""

from PIL import Image, ImageChops

from characters.portraits.brush import Canvas, oval
from characters.portraits.features import (
    Skin,
    mirrored,
    paint_eye,
    paint_face,
    paint_neck,
    paint_nose,
)

SKIN = Skin("#d8a47c", "#bf8a64", "#99674a", "#6b4230")


def draw() -> Image.Image:
    canvas = Canvas("#2a2745")
    _paint_room(canvas)
    _paint_uniform(canvas)
    _paint_face(canvas)
    _paint_moustache(canvas)
    _paint_cap(canvas)
    return canvas.finish((9, 4), 84)


def _paint_room(canvas: Canvas) -> None:
    whole = canvas.mask([(0, 0), (100, 0), (100, 100), (0, 100)])
    canvas.glow(whole, "#413c69", (28, 26), 52, strength=0.95)
    moon = ImageChops.subtract(canvas.mask(oval((80, 33), 8.2, 8.2)), canvas.mask(oval((76.8, 31), 7.6, 7.6)))
    canvas.fill(moon, "#f0e2bd")
    for x, y, r in (
        (20, 20, 0.5),
        (27, 33, 0.35),
        (14, 42, 0.4),
        (86, 46, 0.45),
        (62, 11, 0.4),
        (17, 60, 0.35),
        (88, 62, 0.3),
    ):
        canvas.fill(canvas.mask(oval((x, y), r, r)), "#f0e2bd")


def _paint_uniform(canvas: Canvas) -> None:
    body = canvas.blob(
        [(3, 114), (9, 93), (24, 82), (40, 77), (60, 77), (76, 82), (91, 93), (97, 114)], "#7b2f45"
    )
    canvas.shade(body, "#45162a", (46, 80), (96, 102), strength=0.95)
    canvas.glow(body, "#9c4a5d", (25, 88), 14, strength=0.75)
    paint_neck(canvas, SKIN, 7.4)
    collar = canvas.blob([(40, 73.6), (50, 78), (60, 73.6), (62, 82.5), (50, 87), (38, 82.5)], "#8d3a50")
    canvas.shade(collar, "#4d1a2f", (47, 78), (64, 82), strength=0.9)
    for side in (-1, 1):
        canvas.stroke([(50 + side * 11.4, 75.6), (50 + side * 1.2, 80.2)], "#e3b75f", 0.8, even=True)
        canvas.stroke([(50 + side * 12, 82), (50 + side * 1.2, 86.6)], "#e3b75f", 0.8, even=True)
    canvas.stroke([(50, 84), (50, 104)], "#4d1a2f", 0.7, even=True)
    for y in (90.6, 96.6):
        for x in (44.6, 55.4):
            canvas.fill(canvas.mask(oval((x, y), 1.5, 1.5)), "#e3b75f")
            canvas.fill(canvas.mask(oval((x - 0.4, y - 0.4), 0.55, 0.55)), "#fbe7b0")


def _paint_face(canvas: Canvas) -> None:
    canvas.lean = 4
    for x in (35.6, 64.4):
        canvas.fill(canvas.mask(oval((x, 43.6), 2.7, 4.9)), SKIN.shade)
    temples = [(50, 22), (60, 24), (65.6, 30), (66, 38), (64, 41), (50, 36)]
    canvas.blob(mirrored(temples), "#d9d5cf")
    outline = [(50, 20), (57.5, 21), (62.6, 27), (64.2, 37), (63.6, 47), (60.4, 57.4), (55, 65.4), (50, 67)]
    face = paint_face(canvas, SKIN, mirrored(outline))
    canvas.glow(face, "#b3593f", (40.8, 49.4), 6.5, strength=0.5)
    canvas.glow(face, "#8f4433", (60, 49.4), 6, strength=0.45)
    for x in (43.4, 56.8):
        paint_eye(canvas, (x, 42.2), "#2a1c1c", white="#f6e9da", droop=1.1)
        canvas.stroke([(x - 2.6, 45.2), (x, 46.2), (x + 2.6, 45.2)], SKIN.shade, 0.6)
    canvas.stroke([(38.4, 38.2), (42.6, 35.4), (47.2, 37.2)], "#e9e6e1", 1.9)
    canvas.stroke([(53, 36.6), (57.4, 34.4), (61.8, 37)], "#bdb8b4", 1.9)
    paint_nose(canvas, SKIN, (50, 51), width=3.6, length=12)
    canvas.stroke([(46.2, 59.8), (50.2, 60.6), (54.4, 59.4)], "#5d2b22", 1.3)


def _paint_moustache(canvas: Canvas) -> None:
    # The moustache, waxed.
    whiskers = [
        (50, 54.2),
        (53.6, 53.4),
        (58, 55.6),
        (62.6, 55.4),
        (65.4, 52.4),
        (64.6, 57),
        (60, 59.4),
        (54.4, 58.8),
        (50, 57.4),
    ]
    moustache = canvas.blob(mirrored(whiskers), "#efece7")
    canvas.shade(moustache, "#a9a4a4", (50, 55), (66, 60), strength=0.9)
    canvas.stroke([(50.1, 54.6), (50.2, 57.4)], "#a9a4a4", 0.6)
    for dx in (-1, 1):
        canvas.stroke([(50 + dx * 2.4, 55), (50 + dx * 6.4, 57.2), (50 + dx * 11, 57)], "#c6c2be", 0.6)
    canvas.stroke([(48.6, 63), (50.2, 63.6), (51.8, 63)], SKIN.shade, 0.8)


def _paint_cap(canvas: Canvas) -> None:
    # The cap: crown, band, peak.
    crown = canvas.blob(
        mirrored([(50, 9), (60, 9.6), (68.4, 12.4), (70.6, 16.4), (67.4, 22.4), (50, 24)]), "#8d3a50"
    )
    canvas.shade(crown, "#45162a", (50, 12), (74, 24), strength=0.95)
    canvas.glow(crown, "#b05d6e", (38, 12), 11, strength=0.8)
    band = canvas.blob(
        mirrored([(50, 18.6), (60, 19), (66.4, 20.6), (66, 27.6), (60, 27), (50, 26.6)]), "#5a1f35"
    )
    canvas.shade(band, "#34101f", (50, 22), (70, 27), strength=0.9)
    canvas.stroke([(34.2, 21.2), (50, 19.6), (65.8, 21.2)], "#e3b75f", 0.8, even=True)
    peak = canvas.blob(
        [
            (33.6, 26.8),
            (42, 25.4),
            (50, 25.2),
            (58, 25.4),
            (66.4, 26.8),
            (64, 31),
            (57, 32.6),
            (50, 33),
            (43, 32.6),
            (36, 31),
        ],
        "#241a2c",
    )
    canvas.glow(peak, "#5c4a63", (43, 27), 9, strength=0.85)
    # A key, in brass, where other caps have a crest.
    canvas.stroke([*oval((50, 21.3), 1.35, 1.35), (51.35, 21.3)], "#f0cf7f", 0.75, even=True)
    canvas.stroke([(50, 22.7), (50, 26)], "#f0cf7f", 0.75, even=True)
    canvas.stroke([(50, 25.4), (51.3, 25.4)], "#f0cf7f", 0.7, even=True)
