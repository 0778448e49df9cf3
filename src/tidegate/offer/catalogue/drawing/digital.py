"""Drawings of phones, sound, cameras and computers."""

from typing import Final

from tidegate.offer.catalogue.drawing.canvas import Canvas, box, ellipse, mirror, smooth, turn
from tidegate.offer.catalogue.drawing.paint import DARK, INK, STEEL, WHITE, Colour, dark, hexa, light, mix


def phone(c: Canvas, p: Colour) -> None:
    """A phone from the front, and its back behind it."""
    c.shadow(50, 85, 26, 3)
    back = turn(box(47, 16, 79, 82, 6), 8, 63, 50)
    c.fill(back, p, "side")
    c.fill(turn(box(50, 19, 64, 34, 4), 8, 63, 50), dark(p, 0.2), "flat")
    for x, y in ((54, 23), (60, 23), (54, 29.5)):
        cx, cy = turn([(x, y)], 8, 63, 50)[0]
        c.fill(ellipse(cx, cy, 2.7, 2.7), INK, "ball")
        c.fill(ellipse(cx - 0.7, cy - 0.7, 0.7, 0.7), WHITE, "none", 0.8)
    c.fill(box(23, 14, 57, 85, 6), dark(STEEL, 0.15), "side")
    c.fill(box(24.2, 15.2, 55.8, 83.8, 5), INK, "none")
    c.fill(box(25.6, 16.6, 54.4, 82.4, 4), mix(p, hexa("20304f"), 0.35), "flat")
    c.fill(ellipse(40, 66, 17, 12, 180, 360), light(p, 0.45), "none", 0.7)
    c.fill(ellipse(46, 40, 5, 5), light(p, 0.7), "ball")
    c.fill(box(36, 18, 44, 20, 1), INK, "none")


def headphones(c: Canvas, p: Colour) -> None:
    """Over-ear headphones."""
    c.shadow(50, 85, 29, 3, 0.28)
    c.tube(smooth([(22, 60), (21, 38), (33, 20), (50, 15), (67, 20), (79, 38), (78, 60)], closed=False), 5.4, p)
    c.line(smooth([(27, 42), (36, 27), (50, 22), (64, 27), (73, 42)], closed=False), 2.4, dark(p, 0.4))
    for cup in (turn(box(25, 50, 37, 82, 6), 4, 30, 66), mirror(turn(box(25, 50, 37, 82, 6), 4, 30, 66))):
        c.fill(cup, DARK, "side")
    for cup in (turn(box(15, 52, 29, 82, 7), 4, 24, 66), mirror(turn(box(15, 52, 29, 82, 7), 4, 24, 66))):
        c.fill(cup, p, "round")
    c.soft(box(18, 57, 20, 76, 1), WHITE, 0.5, 0.7)
    c.soft(box(74, 57, 76, 76, 1), WHITE, 0.4, 0.7)


def earbuds(c: Canvas, p: Colour) -> None:
    """Two earbuds before their open case."""
    c.shadow(50, 82, 28, 4)
    c.fill([*ellipse(50, 40, 27, 24, 180, 360), (77, 53), (23, 53)], dark(p, 0.08), "round")
    c.fill([*ellipse(50, 42, 23, 20, 180, 360), (73, 53), (27, 53)], dark(p, 0.5), "flat")
    bud = smooth([(33, 33), (37, 26), (44, 26), (46, 33), (43, 39), (42.6, 56), (37.6, 56), (36.6, 41)])
    for each in (bud, mirror(bud)):
        c.fill(each, light(p, 0.62), "side")
    for x in (44.6, 55.4):
        c.fill(ellipse(x, 33, 2.6, 4), DARK, "ball")
    c.fill([*ellipse(50, 52, 27, 4, 180, 360), (77, 62), *ellipse(50, 62, 27, 20, 0, 180), (23, 62)], p, "round")
    c.line(smooth([(23.4, 51), (50, 48), (76.6, 51)], closed=False), 1, light(p, 0.4))
    c.fill(ellipse(50, 61, 1.3, 1.3), hexa("a8f0c0"), "none")
    c.gleam(30, 57, 72, 2)


def watch(c: Canvas, p: Colour) -> None:
    """A smart watch with rings on its face."""
    c.shadow(50, 88, 16, 2.6, 0.28)
    c.fill(smooth([(39, 34), (41, 14), (44, 9), (56, 9), (59, 14), (61, 34)]), p, "round")
    c.fill(smooth([(39, 66), (41, 84), (44, 90), (56, 90), (59, 84), (61, 66)]), p, "round")
    for y in (74, 79, 84):
        c.fill(ellipse(50, y, 1, 1), dark(p, 0.4), "none")
    c.fill(box(72, 44, 76, 53, 1.6), STEEL, "flat")
    c.fill(box(27, 28, 73, 72, 13), STEEL, "side")
    c.fill(box(29.5, 30.5, 70.5, 69.5, 11), INK, "flat")
    for radius, tone, end in ((14.5, p, 200), (10.5, light(p, 0.4), 130), (6.5, hexa("ffd36b"), 260)):
        c.line(ellipse(50, 50, radius, radius), 2.6, mix(INK, tone, 0.25))
        c.line(ellipse(50, 50, radius, radius, -90, end - 90), 2.6, light(tone, 0.15))


def speaker(c: Canvas, p: Colour) -> None:
    """A speaker with two cones behind its frame."""
    c.shadow(50, 86, 22, 3.4)
    c.fill(box(29, 12, 71, 86, 6), p, "round")
    c.fill(box(31.6, 14.6, 68.4, 83.4, 4.4), dark(p, 0.5), "flat")
    for y, size in ((30, 9.6), (60, 16.4)):
        c.fill(ellipse(50, y, size, size), STEEL, "side")
        c.fill(ellipse(50, y, size * 0.92, size * 0.92), INK, "flat")
        c.fill(ellipse(50, y, size * 0.78, size * 0.78), DARK, "ball")
        c.line(ellipse(50, y, size * 0.56, size * 0.56), 0.5, STEEL, 0.6)
        c.fill(ellipse(50, y, size * 0.34, size * 0.34), light(p, 0.2), "ball")
    c.fill(ellipse(50, 79.4, 1, 1), hexa("8fe8dc"), "none")
    c.soft(box(33, 18, 35, 80, 1), WHITE, 0.25, 0.8)


def keyboard(c: Canvas, p: Colour) -> None:
    """A keyboard seen from above."""
    c.soft(box(10, 38, 94, 74, 4), dark(p, 0.8), 0.4, 2.6)
    c.fill(box(7, 33, 93, 69, 4), dark(p, 0.1), "flat")
    c.fill(box(8.5, 34.5, 91.5, 67, 3), dark(p, 0.45), "flat")
    accents = {(0, 0), (2, 12), (3, 5)}
    for row, count in enumerate((14, 14, 13, 12)):
        width = 80 / count
        for key in range(count):
            x = 10 + key * width
            tone = hexa("f2b84b") if (row, key) in accents else light(p, 0.58 if 0 < key < count - 1 else 0.25)
            c.fill(box(x + 0.4, 36 + row * 6.2, x + width - 0.4, 41.2 + row * 6.2, 1), tone, "flat")
    for x0, x1 in ((10, 18), (19, 27), (28, 66), (67, 75), (76, 90)):
        c.fill(box(x0 + 0.4, 60.8, x1 - 0.4, 65.6, 1), light(p, 0.58 if x0 == 28 else 0.25), "flat")


def camera(c: Canvas, p: Colour) -> None:
    """A mirrorless camera."""
    c.shadow(50, 77, 33, 3.6)
    c.fill(box(37, 25, 63, 40, 3), DARK, "flat")
    c.fill(box(68, 27, 78, 36, 1.5), STEEL, "round")
    c.fill(box(20, 28, 31, 36, 1.5), STEEL, "round")
    c.fill(box(14, 33, 86, 77, 5), DARK, "flat")
    c.fill(box(14, 43, 86, 68), p, "flat")
    for radius, tone in ((21, STEEL), (19, INK), (14.5, DARK), (11, hexa("26324d"))):
        c.fill(ellipse(50, 55, radius, radius), tone, "side")
    c.fill(ellipse(50, 55, 7.5, 7.5), hexa("4a6a9c"), "ball")
    c.soft(ellipse(45, 49, 3.6, 2.4), WHITE, 0.85, 0.7)
    c.fill(ellipse(78, 39, 2, 2), hexa("ffdf8c"), "ball")
    c.fill(box(45, 28, 55, 32, 1), light(p, 0.4), "none")


def powerbank(c: Canvas, p: Colour) -> None:
    """A power bank with its cable."""
    c.shadow(46, 84, 20, 3)
    c.line(smooth([(46, 18), (46, 8), (66, 7), (76, 18), (78, 50), (74, 76), (84, 84)], closed=False), 2, dark(p, 0.2))
    c.fill(box(43, 13, 49, 20, 1), STEEL, "round")
    c.fill(box(27, 18, 65, 84, 6), p, "round")
    c.fill(box(31, 22, 61, 40, 3), INK, "flat")
    c.fill(box(35, 27, 39, 35, 0.6), hexa("a8f0c0"), "none")
    for x in (41, 46.5, 52):
        c.fill(box(x, 27, x + 4, 35, 0.6), hexa("a8f0c0") if x < 50 else DARK, "none")
    c.fill(smooth([(48, 48), (40, 62), (46, 62), (43, 74), (53, 58), (47, 58)])[::4], light(p, 0.6), "none")


def laptop(c: Canvas, p: Colour) -> None:
    """An open laptop."""
    c.shadow(50, 77, 42, 3.4)
    c.fill(box(18, 20, 82, 68, 3), dark(p, 0.1), "flat")
    c.fill(box(19.2, 21.2, 80.8, 67, 2.2), INK, "none")
    c.fill(box(21, 23, 79, 64.5, 0.8), mix(p, hexa("243a66"), 0.4), "flat")
    c.fill(ellipse(38, 64.5, 26, 15, 180, 360), light(p, 0.35), "none", 0.75)
    c.fill(ellipse(64, 64.5, 15, 21, 180, 360), light(p, 0.15), "none", 0.85)
    c.fill(ellipse(63, 33, 4.6, 4.6), hexa("ffe7b5"), "ball")
    c.fill([(8, 72), (18, 66), (82, 66), (92, 72)], light(p, 0.45), "flat")
    c.fill([(20, 70.4), (23, 67.4), (77, 67.4), (80, 70.4)], dark(p, 0.3), "flat")
    c.fill(box(8, 72, 92, 76, 2), light(p, 0.2), "side")
    c.fill(box(43, 72, 57, 73.3, 0.6), dark(p, 0.2), "none")


KINDS: Final = {
    "phone": phone, "headphones": headphones, "earbuds": earbuds, "watch": watch, "speaker": speaker,
    "keyboard": keyboard, "camera": camera, "powerbank": powerbank, "laptop": laptop,
}  # fmt: skip
