"""Bram, who finds faults: a copper beard, a knitted cap, a pencil where he can reach it."""

from PIL import Image

from characters.portraits.brush import Canvas, oval
from characters.portraits.features import Skin, mirrored, paint_eye, paint_face, paint_neck, paint_nose

SKIN = Skin("#f0c3a0", "#dfa582", "#c08163", "#8f553f")


def draw() -> Image.Image:
    canvas = Canvas("#b4553a")
    _paint_room(canvas)
    _paint_clothes(canvas)
    _paint_face(canvas)
    _paint_beard(canvas)
    _paint_features(canvas)
    _paint_cap(canvas)
    return canvas.finish((9, 4.5), 84)


def _paint_room(canvas: Canvas) -> None:
    whole = canvas.mask([(0, 0), (100, 0), (100, 100), (0, 100)])
    canvas.glow(whole, "#d0744f", (30, 22), 60, strength=0.85)
    # The rails and cables of a lift shaft.
    for x, width in ((17, 3.2), (83, 3.2)):
        canvas.fill(canvas.mask([(x, 0), (x + width, 0), (x + width, 100), (x, 100)]), "#8d3d2a")
    for x in (25, 77):
        canvas.fill(canvas.mask([(x, 0), (x + 0.9, 0), (x + 0.9, 100), (x, 100)]), "#963f2b")


def _paint_clothes(canvas: Canvas) -> None:
    body = canvas.blob(
        [(0, 114), (6, 92), (22, 81), (39, 76), (61, 76), (78, 81), (94, 92), (100, 114)], "#2c3e57"
    )
    canvas.shade(body, "#192538", (44, 80), (98, 102), strength=0.95)
    paint_neck(canvas, SKIN, 9.4)
    shirt = canvas.mask([(40, 77), (60, 77), (56, 100), (44, 100)])
    canvas.fill(shirt, "#e8ddc8")
    canvas.shade(shirt, "#b9a98c", (46, 84), (60, 92), strength=0.9)
    for flap in ([(38, 73), (41, 74.5), (47, 94), (33, 86)], [(62, 73), (59, 74.5), (53, 94), (67, 86)]):
        area = canvas.fill(canvas.mask(flap), "#3a506f")
        canvas.shade(area, "#1f2e45", (42, 78), (68, 92), strength=0.8)


def _paint_face(canvas: Canvas) -> None:
    canvas.lean = 3
    for x in (33.6, 66.4):
        canvas.fill(canvas.mask(oval((x, 43), 2.9, 4.8)), SKIN.shade)
    outline = [(50, 19), (59, 20), (65, 27), (66.6, 38), (66, 48), (62.5, 58), (56, 65), (50, 66)]
    face = paint_face(canvas, SKIN, mirrored(outline))
    canvas.glow(face, "#d5694c", (40, 48.5), 7, strength=0.6)
    canvas.glow(face, "#b5553f", (60.5, 48.5), 6.5, strength=0.55)


def _paint_beard(canvas: Canvas) -> None:
    # Beard and moustache.
    half = [(50, 53.5), (57, 51.8), (62.4, 47), (65, 37), (67.6, 35), (68, 50), (66, 60), (60, 69), (50, 73)]
    beard = canvas.blob(mirrored(half), "#b4612f")
    canvas.shade(beard, "#7d3a1d", (48, 52), (70, 68), strength=0.95)
    canvas.glow(beard, "#d68a4c", (38, 57), 9, strength=0.85)
    for strand in (
        [(41, 60), (43, 66), (46.5, 70)],
        [(47, 61), (48, 67), (50, 71.5)],
        [(54, 61), (54.5, 66), (53.6, 70.5)],
        [(60, 58), (60, 63), (57.6, 68)],
        [(37, 54), (38.4, 60), (40.6, 64)],
    ):
        canvas.stroke(strand, "#8c4521", 0.7)
    canvas.blob([(46, 56.6), (50.2, 57.2), (54.6, 56.2), (52.6, 59.2), (48, 59.4)], "#a3503f")
    canvas.stroke([(44.6, 56.9), (50, 57.6), (56, 56.2)], "#5a2517", 1.0)
    canvas.blob(
        [
            (50, 51.6),
            (54, 51.4),
            (59.6, 55.6),
            (61, 58.4),
            (55, 57),
            (50, 55.6),
            (45, 57.2),
            (39, 58.8),
            (40.4, 55.8),
            (46, 51.6),
        ],
        "#c06f38",
    )
    canvas.stroke([(51, 53), (55.5, 54), (59, 57)], "#8c4521", 0.7)


def _paint_features(canvas: Canvas) -> None:
    paint_nose(canvas, SKIN, (50, 49.6), width=4.2, length=10)
    for x in (43, 57):
        paint_eye(canvas, (x, 40.6), "#26313f", white="#fbeee0", droop=0.9)
    canvas.stroke([(37.6, 36.4), (42, 33.8), (47.4, 35.8)], "#a2562a", 2.2)
    canvas.stroke([(52.8, 35.2), (57.8, 32.6), (62.4, 35.4)], "#87431f", 2.2)
    canvas.stroke([(62.2, 43.2), (64, 44.4), (65, 46.2)], SKIN.deep, 0.6)


def _paint_cap(canvas: Canvas) -> None:
    # The cap, and the fold that holds the pencil.
    cap = canvas.blob(
        mirrored([(50, 7.5), (59, 8.8), (65.8, 14), (68.6, 22), (68.4, 28), (50, 26)]), "#e0b35a"
    )
    canvas.shade(cap, "#a87824", (52, 14), (74, 30), strength=0.95)
    canvas.glow(cap, "#f3d48d", (40, 12), 12, strength=0.8)
    for x in (38, 43.5, 49.5, 55.5, 61.5):
        canvas.stroke(
            [(50 + (x - 50) * 0.62, 9.4), (50 + (x - 50) * 0.95, 16), (x, 23)], "#b98a35", 0.7, within=cap
        )
    canvas.stroke([(69.6, 17), (66.6, 40)], "#2c3e57", 1.9, even=True)
    canvas.stroke([(69.9, 14.8), (69.6, 17)], "#efe2cc", 1.6, even=True)
    fold = canvas.blob(
        mirrored([(50, 20.4), (60, 20.8), (68.2, 23), (70.2, 26.4), (69, 30.6), (60, 29), (50, 28.4)]),
        "#d2a146",
    )
    canvas.shade(fold, "#946720", (50, 24), (74, 30), strength=0.95)
    for i in range(12):
        x = 33.4 + i * 3
        canvas.stroke([(x, 22.2), (x - 0.1, 30)], "#a97c2c", 0.55, within=fold)
