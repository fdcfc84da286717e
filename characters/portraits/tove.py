"""Tove, the editor: straight fair hair, a fringe she cut herself, a pencil through the knot."""

from PIL import Image

from characters.portraits.brush import Canvas, oval
from characters.portraits.features import Skin, mirrored, paint_eye, paint_face, paint_neck, paint_nose

SKIN = Skin("#fbdcc8", "#f2c5ab", "#d99c82", "#a8654f")


def draw() -> Image.Image:
    canvas = Canvas("#8fa48b")
    _paint_room(canvas)
    _paint_hair_behind(canvas)
    _paint_collar(canvas)
    _paint_face(canvas)
    _paint_fringe(canvas)
    return canvas.finish((7.5, 0), 87)


def _paint_room(canvas: Canvas) -> None:
    whole = canvas.mask([(0, 0), (100, 0), (100, 100), (0, 100)])
    canvas.shade(whole, "#6f876f", (40, 20), (100, 110), strength=0.9)
    sun = canvas.fill(canvas.mask(oval((53, 42), 35, 35)), "#f0e4cd")
    canvas.shade(sun, "#d9c6a2", (50, 46), (84, 76), strength=0.9)


def _paint_hair_behind(canvas: Canvas) -> None:
    body = canvas.blob(
        [(8, 114), (14, 94), (28, 83), (42, 78), (58, 78), (72, 83), (86, 94), (92, 114)], "#b8473f"
    )
    canvas.shade(body, "#80292b", (46, 82), (92, 104), strength=0.95)
    canvas.glow(body, "#d4695b", (27, 88), 15, strength=0.7)
    canvas.lean = -6
    knot = canvas.blob([(52, 6), (58, 5), (62.5, 9), (61.5, 15), (55, 17.5), (49, 15), (48, 9.5)], "#c9964f")
    canvas.shade(knot, "#8c5f28", (53, 9), (64, 15), strength=0.9)
    canvas.stroke([(43, 3), (67.5, 17)], "#2f5a5c", 1.7, even=True)
    canvas.stroke([(41.4, 2.1), (43, 3)], "#e9b7a6", 1.7, even=True)
    back = [(50, 12), (60, 13.5), (67.5, 20), (70, 32), (70, 46), (71.5, 58), (69, 66), (60, 67), (50, 60)]
    hair = canvas.blob(mirrored(back), "#b98443")
    canvas.shade(hair, "#7d5426", (50, 30), (74, 60), strength=0.95)
    canvas.lean = 0


def _paint_collar(canvas: Canvas) -> None:
    paint_neck(canvas, SKIN, 7)
    collar = [(41, 76.5), (50, 86), (59, 76.5), (65, 80), (58.5, 93), (50, 87), (41.5, 93), (35, 80)]
    area = canvas.fill(canvas.mask(collar), "#f7efe2")
    canvas.shade(area, "#cdbfa8", (48, 84), (66, 90), strength=0.9)


def _paint_face(canvas: Canvas) -> None:
    canvas.lean = -6
    outline = [
        (50, 20),
        (57.5, 21),
        (63, 27),
        (64.8, 37),
        (63.6, 47.5),
        (59.8, 56.4),
        (54.8, 62.2),
        (50, 63.4),
    ]
    face = paint_face(canvas, SKIN, mirrored(outline))
    canvas.glow(face, "#e8806c", (40.5, 49.5), 7, strength=0.75)
    canvas.glow(face, "#d56a58", (60, 49.5), 6.5, strength=0.65)
    for x in (43.2, 56.8):
        paint_eye(canvas, (x, 42.6), "#33414a", white="#fffaf2", droop=-0.5)
    canvas.stroke([(38.8, 37.4), (43, 35.6), (47, 37)], "#a4733a", 1.3)
    canvas.stroke([(53.2, 36.6), (57.2, 34.8), (61.2, 36.6)], "#8d5f2d", 1.3)
    paint_nose(canvas, SKIN, (50, 49.4), width=2.7, length=9)
    canvas.blob(
        [(46.4, 55.8), (48.8, 55), (50.1, 55.5), (51.4, 54.9), (54.4, 55.4), (52.4, 58.4), (48.4, 58.6)],
        "#c9564c",
    )
    canvas.stroke([(45, 55.6), (48, 56.2), (50.2, 56.5), (52.4, 56), (55.8, 54.8)], "#7c2f2b", 0.9)
    for x, y in (
        (38.6, 46.4),
        (41.6, 47.2),
        (44, 46),
        (56, 46.4),
        (58.6, 47.4),
        (60.8, 46.2),
        (40, 49.2),
        (59.6, 49.6),
    ):
        canvas.fill(canvas.mask(oval((x, y), 0.36, 0.36)), SKIN.deep, opacity=0.55)


def _paint_fringe(canvas: Canvas) -> None:
    for lock in (
        [(37, 26), (34.4, 40), (34, 54), (36.4, 64), (30, 62), (28.6, 48), (30.4, 30)],
        [(63, 26), (65.6, 40), (66, 54), (64, 65), (70.6, 63), (71.8, 48), (69.6, 30)],
    ):
        area = canvas.blob(lock, "#c9964f")
        canvas.shade(area, "#875a2a", (46, 36), (72, 60), strength=0.9)
    # The fringe, over the roots of the strands beside the face.
    fringe = [
        (32, 41),
        (31.4, 28),
        (37, 18),
        (46, 13),
        (55, 13.2),
        (64, 18.4),
        (68.8, 28),
        (68.2, 41),
        (65.4, 41),
        (63, 32.6),
        (58, 31.2),
        (52.6, 33),
        (47.6, 31.6),
        (42, 33),
        (37.4, 32),
        (35, 41),
    ]
    area = canvas.blob(fringe, "#d3a35c")
    canvas.shade(area, "#946430", (50, 20), (72, 36), strength=0.95)
    canvas.glow(area, "#efcd8f", (41, 19), 12, strength=0.9)
    for strand in (
        [(47, 15), (43.4, 22), (42.4, 31)],
        [(50, 14.6), (48.6, 22), (48, 30)],
        [(54, 15), (54, 23), (53, 31)],
        [(58, 16.6), (59.4, 23), (59, 30)],
        [(42.6, 16.6), (38.6, 23), (37.6, 31)],
    ):
        canvas.stroke(strand, "#a87637", 0.6)
