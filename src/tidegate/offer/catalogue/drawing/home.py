"""Drawings of things for the home."""

import math
from typing import Final

from tidegate.offer.catalogue.drawing.canvas import Canvas, Point, box, ellipse, lathe, mirror, smooth, turn
from tidegate.offer.catalogue.drawing.paint import (
    CREAM,
    DARK,
    GOLD,
    INK,
    LEAF,
    WHITE,
    WOOD,
    Colour,
    dark,
    hexa,
    light,
    mix,
)


def lamp(c: Canvas, p: Colour) -> None:
    """A mushroom lamp, lit."""
    c.shadow(50, 83, 16, 3)
    c.soft(ellipse(50, 52, 34, 22), hexa("ffe9b0"), 0.75, 7)
    c.fill(lathe(50, [(48, 3), (66, 3.4), (76, 8), (82, 15)], foot=2.2), light(p, 0.1))
    c.fill(ellipse(50, 48, 29, 5), hexa("fff3cf"), "none")
    c.fill([*ellipse(50, 46, 30, 30, 180, 360), *ellipse(50, 46, 30, 4.6, 0, 180)], p, "round")
    c.soft(ellipse(40, 28, 7, 5), WHITE, 0.55, 2.4)
    c.soft([*ellipse(50, 45, 27, 9, 20, 160)], hexa("ffe2a0"), 0.5, 2)


def chair(c: Canvas, p: Colour) -> None:
    """A bentwood chair with a coloured seat."""
    c.shadow(50, 86, 22, 3.4, 0.3)
    for top, bottom in (((36, 58), (33, 83)), ((64, 58), (68, 83))):
        c.tube([top, bottom], 2.6, dark(WOOD, 0.25))
    c.tube(smooth([(33, 56), (30, 36), (34, 18), (50, 13), (66, 18), (70, 36), (67, 56)], closed=False), 3.2, WOOD)
    for x in (43, 50, 57):
        c.tube([(x, 17 if x != 50 else 15), (x, 54)], 1.7, WOOD)
    for top, bottom in (((29, 61), (25, 87)), ((71, 61), (75, 87))):
        c.tube([top, bottom], 3.2, WOOD)
    c.fill([*ellipse(50, 59, 25, 7, 180, 360), *ellipse(50, 62, 25, 7, 0, 180)], dark(WOOD, 0.1))
    c.fill([*ellipse(50, 56, 24, 6.6, 180, 360), *ellipse(50, 58.5, 24, 6.6, 0, 180)], dark(p, 0.12))
    c.fill(ellipse(50, 56, 24, 6.6), p, "side")


def cushion(c: Canvas, p: Colour) -> None:
    """A plump square cushion with piping."""
    c.shadow(50, 80, 31, 4)
    shape = smooth([(17, 24), (34, 27), (50, 27.5), (66, 27), (83, 24), (80, 40), (79.5, 53), (80, 66), (84, 81),
                    (66, 78.5), (50, 78.5), (34, 78.5), (16, 81), (20, 66), (20.5, 53), (20, 40)])  # fmt: skip
    c.fill(shape, p, "ball")
    c.line([*shape, shape[0]], 0.9, dark(p, 0.18))
    for shift in (-16, 0, 16):
        band = smooth([(50 + shift, 28), (49 + shift * 1.08, 53), (50 + shift, 78)], closed=False)
        c.line(band, 1.1, light(p, 0.35), 0.75)
    c.soft(ellipse(39, 42, 11, 8), WHITE, 0.28, 4)


def vase(c: Canvas, p: Colour) -> None:
    """A vase with three dry stems."""
    for tip in ((30, 12), (48, 6), (66, 14)):
        stem = smooth([(50, 44), ((50 + tip[0]) / 2 + 1, 30), tip], closed=False)
        c.line(stem, 0.9, hexa("8d7a52"))
        for at in (0.0, 4.5, 9.0):
            for side in (-1.9, 1.9):
                c.fill(ellipse(tip[0] + side + (50 - tip[0]) * at / 60, tip[1] + at, 1.5, 2.6), GOLD, "ball")
    c.body(50, [(40, 6.5), (44, 5.5), (50, 7), (58, 17), (68, 21), (77, 17), (82, 12)], p, foot=2)
    c.rim(50, 40, 6.6, 1.7, p, dark(p, 0.55))
    c.gleam(38, 60, 74, 2)


def candle(c: Canvas, p: Colour) -> None:
    """A candle in a coloured glass, lit."""
    c.soft(ellipse(50, 34, 24, 24), hexa("ffe3a1"), 0.8, 8)
    c.shadow(50, 82, 21, 3.6)
    c.fill(lathe(50, [(44, 21), (46, 21.5), (76, 21.5), (81, 20)], curved=False, foot=3), p)
    c.rim(50, 44, 21.3, 4.4, p, hexa("fff1cf"))
    c.line([(50, 45), (50, 39)], 1, INK)
    c.fill(smooth([(50, 23), (54, 32), (53.4, 38), (50, 40), (46.6, 38), (46, 32)]), hexa("ffb83d"), "none")
    c.fill(smooth([(50, 29), (52, 34), (51.6, 38), (50, 39), (48.4, 38), (48, 34)]), hexa("fff0b8"), "none")
    c.label(39, 55, 61, 74, CREAM, dark(p, 0.3))
    c.gleam(31.5, 50, 76, 1.8)


def clock(c: Canvas, p: Colour) -> None:
    """A wall clock at ten past ten."""
    c.soft(ellipse(54, 54, 33, 33), dark(p, 0.7), 0.35, 4)
    c.fill(ellipse(50, 49, 34, 34), p, "round")
    c.fill(ellipse(50, 49, 30, 30), light(CREAM, 0.4), "side")
    for hour in range(12):
        x, y = math.sin(hour * math.pi / 6), -math.cos(hour * math.pi / 6)
        start = 24.5 if hour % 3 else 22.5
        c.line([(50 + x * start, 49 + y * start), (50 + x * 26.6, 49 + y * 26.6)], 0.8 if hour % 3 else 1.8, DARK)
    c.line([(50, 49), (37.5, 41)], 2.4, DARK)
    c.line([(50, 49), (65, 36)], 1.8, DARK)
    c.line([(47, 57), (55, 27)], 0.8, mix(p, hexa("e2574c"), 0.5))
    c.fill(ellipse(50, 49, 2.4, 2.4), p, "ball")


def plant(c: Canvas, p: Colour) -> None:
    """A leafy plant in a pot."""
    leaves = ((50, 8, 0), (34, 14, -32), (66, 14, 32), (24, 30, -62), (76, 30, 62), (40, 22, -14), (60, 22, 14))
    for number, (x, y, _) in enumerate(leaves):
        c.line(smooth([(50, 62), ((50 + x) / 2, 46 + number % 2), (x, y + 14)], closed=False), 1.2, dark(LEAF, 0.2))
    for number, (x, y, angle) in enumerate(leaves):
        leaf = [(x, y), (x + 7, y + 10), (x + 5, y + 20), (x, y + 27), (x - 5, y + 20), (x - 7, y + 10)]
        tone = mix(LEAF, (light(LEAF), dark(LEAF))[number % 2], 0.3)
        c.fill(turn(smooth(leaf), angle, x, y + 14), tone, "side")
        c.line(turn([(x, y + 3), (x, y + 24)], angle, x, y + 14), 0.6, light(tone, 0.35))
    c.shadow(50, 84, 15, 3)
    c.fill(lathe(50, [(60, 19), (64, 19)], curved=False, foot=3), light(p, 0.1))
    c.fill(lathe(50, [(65, 17.5), (83, 13.5)], curved=False, foot=2.2), p)
    c.fill(ellipse(50, 60, 19, 3.2), dark(p, 0.5), "flat")


def giftbox(c: Canvas, p: Colour) -> None:
    """A wrapped box with a bow, for goods that nobody has drawn yet."""
    ribbon = light(p, 0.72) if sum(p) < 560 else hexa("c8574f")
    c.shadow(50, 81, 28, 4)
    c.fill(box(24, 46, 76, 82, 1.5), p, "round")
    c.fill(box(45, 46, 55, 82), ribbon, "flat")
    c.soft(box(24, 46, 76, 49), dark(p, 0.8), 0.35, 1)
    c.fill(box(20, 34, 80, 47, 1.5), light(p, 0.1), "round")
    c.fill(box(44.5, 34, 55.5, 47), light(ribbon, 0.2), "flat")
    loop: list[Point] = smooth([(50, 33), (40, 20), (29, 18), (27, 27), (36, 33)])
    for each in (loop, mirror(loop)):
        c.fill(each, ribbon, "side")
        c.line([*each, each[0]], 0.7, dark(ribbon, 0.18))
    c.fill(ellipse(50, 32, 4.4, 3.8), dark(ribbon, 0.08), "ball")


KINDS: Final = {
    "lamp": lamp, "chair": chair, "cushion": cushion, "vase": vase, "candle": candle, "clock": clock,
    "plant": plant, "giftbox": giftbox,
}  # fmt: skip
