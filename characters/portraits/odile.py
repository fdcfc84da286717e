"""Odile, the librarian: silver hair, round spectacles, lamp light in the arch behind her."""

from PIL import Image

from characters.portraits.brush import Canvas, oval
from characters.portraits.features import (
    Skin,
    mirrored,
    paint_arch,
    paint_eye,
    paint_face,
    paint_neck,
    paint_nose,
)

SKIN = Skin("#bd8460", "#a06747", "#7f4c35", "#5a3126")


def draw() -> Image.Image:
    canvas = Canvas("#1f4a50")
    _paint_room(canvas)
    _paint_clothes(canvas)
    _paint_hair(canvas)
    _paint_face(canvas)
    _paint_spectacles(canvas)
    return canvas.finish((9, 6), 84)


def _paint_room(canvas: Canvas) -> None:
    arch = paint_arch(canvas, "#d9a94f", (50, 44), 33)
    canvas.glow(arch, "#f2d288", (38, 22), 42, strength=0.9)
    canvas.shade(arch, "#b67f2c", (58, 50), (92, 100), strength=0.85)


def _paint_clothes(canvas: Canvas) -> None:
    body = canvas.blob(
        [(4, 114), (11, 93), (26, 82), (40, 77), (60, 77), (74, 82), (89, 93), (96, 114)], "#2f6a6c"
    )
    canvas.shade(body, "#1b4045", (46, 80), (96, 104), strength=0.95)
    paint_neck(canvas, SKIN, 7.6)
    collar = canvas.blob([(38.5, 73), (50, 77.5), (61.5, 73), (64, 82), (50, 87.5), (36, 82)], "#3a7c7e")
    canvas.shade(collar, "#1d4549", (47, 78), (66, 82), strength=0.9)
    canvas.stroke([(37.2, 79.4), (50, 84.6), (62.8, 79.4)], "#2b6163", 0.7)


def _paint_hair(canvas: Canvas) -> None:
    canvas.lean = -4
    cap = [(50, 12.5), (58.5, 13.4), (65.5, 17.5), (69.4, 24), (69.8, 31.5), (67.8, 38.5), (63, 42), (50, 40)]
    hair = canvas.blob(mirrored(cap), "#c9c4ba")
    canvas.shade(hair, "#85827f", (52, 20), (74, 40), strength=0.95)
    canvas.glow(hair, "#efeae0", (41, 18), 13, strength=0.9)
    for x in (35.2, 64.8):
        canvas.fill(canvas.mask(oval((x, 43.4), 2.5, 4.2)), SKIN.shade)
        # A small brass ring in each ear.
        canvas.stroke([*oval((x, 49), 1.1, 1.5), (x + 1.1, 49)], "#e2b65e", 0.7, even=True)


def _paint_face(canvas: Canvas) -> None:
    outline = [(50, 23.4), (56.5, 24), (62, 27.6), (65, 37), (64, 47.5), (60, 57), (54.8, 63), (50, 64.2)]
    face = paint_face(canvas, SKIN, mirrored(outline))
    canvas.glow(face, "#b9583f", (40.5, 50), 6.5, strength=0.55)
    canvas.glow(face, "#8f3f30", (60, 50), 6, strength=0.45)
    for x in (43.4, 57.0):
        paint_eye(canvas, (x, 41.5), "#2b1815", white="#f1e3d2")
    canvas.stroke([(38.4, 36), (43, 33.6), (47.2, 35.2)], "#9b9791", 1.7)
    canvas.stroke([(53.2, 35.2), (57.6, 33.4), (61.6, 35.8)], "#77736f", 1.7)
    paint_nose(canvas, SKIN, (50, 49.5), width=3.4)
    canvas.blob([(46, 56.7), (50.2, 57.2), (54.8, 56.2), (52.6, 59.1), (48, 59.2)], "#8f4237")
    canvas.stroke([(44.4, 55.9), (47.8, 56.2), (50.2, 56.7), (52.6, 56), (56.4, 55)], "#4a211d", 1.2)


def _paint_spectacles(canvas: Canvas) -> None:
    for x in (43.2, 57.2):
        lens = canvas.mask(oval((x, 41.7), 5.7, 5.5))
        canvas.shade(lens, "#fff3d6", (x + 1, 44), (x - 7, 35), strength=0.35, grain=0.2)
        canvas.stroke([*oval((x, 41.7), 5.7, 5.5), (x + 5.7, 41.7)], "#22302f", 0.85, even=True)
    for bow in (
        [(48.9, 41), (50.2, 40.3), (51.5, 41)],
        [(37.5, 41), (34.8, 40.2)],
        [(62.9, 41), (65.4, 40.2)],
    ):
        canvas.stroke(bow, "#22302f", 0.85, even=True)
