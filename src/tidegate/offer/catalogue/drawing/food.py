"""Drawings of food and drink."""

from typing import Final

from tidegate.offer.catalogue.drawing.canvas import Canvas, Point, box, ellipse, lathe, smooth, turn
from tidegate.offer.catalogue.drawing.paint import (
    CREAM,
    GOLD,
    KRAFT,
    LEAF,
    STEEL,
    WHITE,
    Colour,
    dark,
    hexa,
    light,
    mix,
)

_COCOA = hexa("5d3a29")
_BISCUIT = hexa("d9a25f")


def cookies(c: Canvas, p: Colour) -> None:
    """A tin of biscuits with three before it."""
    c.body(47, [(36, 25), (74, 25)], p, curved=False, foot=5)
    c.fill(lathe(47, [(28, 26), (38, 26)], curved=False, foot=5), light(p, 0.15))
    c.fill(ellipse(47, 28, 26, 5.4), light(p, 0.34), "side")
    c.label(34, 48, 60, 72, CREAM, p)
    for x, y in ((66, 77), (79, 81), (58, 83)):
        c.soft(ellipse(x + 1, y + 3, 8.6, 3), dark(_BISCUIT, 0.8), 0.35, 1)
        c.fill(ellipse(x, y + 1.4, 8.6, 4.4), dark(_BISCUIT, 0.25), "round")
        c.fill(ellipse(x, y, 8.6, 4.4), _BISCUIT, "side")
        for dx, dy in ((-4, 0.4), (0, -2), (3.4, 0.8), (-0.6, 1.6)):
            c.fill(ellipse(x + dx, y + dy, 1.1, 0.7), _COCOA, "none")


def chocolate(c: Canvas, p: Colour) -> None:
    """A bar of chocolate, half unwrapped."""
    tilt = -10.0
    c.soft(turn(box(28, 12, 76, 88, 2), tilt), dark(p, 0.8), 0.42, 2.6)
    c.fill(turn(box(28, 12, 72, 60, 1.6), tilt), _COCOA, "flat")
    for row in range(4):
        for column in range(3):
            x, y = 30 + column * 13.6, 14 + row * 11.6
            c.fill(turn(box(x, y, x + 12.4, y + 10.2, 1), tilt), light(_COCOA, 0.1), "flat")
            c.fill(turn(box(x + 1.6, y + 1.6, x + 10.8, y + 8.6, 0.8), tilt), dark(_COCOA, 0.1), "flat")
    jag = [(27 + at * 4.6, 48 + (2.6 if at % 2 else 0)) for at in range(11)]
    c.fill(turn([*jag, (73, 62), (27, 62)], tilt), STEEL, "flat")
    c.fill(turn(box(27, 54, 73, 88, 1), tilt), p, "round")
    c.fill(turn(box(27, 60, 73, 63), tilt), GOLD, "round")
    c.fill(turn(box(38, 68, 62, 80, 1), tilt), CREAM, "flat")
    c.line(turn([(43, 72.4), (57, 72.4)], tilt), 1.1, dark(p, 0.3))
    c.line(turn([(46, 76), (54, 76)], tilt), 0.8, dark(p, 0.3))


def honey(c: Canvas, p: Colour) -> None:
    """A jar of honey under a cloth lid."""
    c.body(50, [(38, 17), (42, 21), (50, 23), (74, 23), (82, 20)], hexa("e39a2d"), foot=3)
    c.soft(ellipse(54, 60, 12, 14), hexa("ffd98a"), 0.6, 4)
    c.fill(
        smooth([(33, 38), (30, 43), (40, 41), (50, 44), (60, 41), (70, 43), (67, 38), (64, 24), (50, 21), (36, 24)]),
        p,
        "round",
    )
    c.fill(box(34, 33, 66, 35.4, 1), light(p, 0.6), "round")
    for x, y in ((42, 27), (50, 25), (58, 27), (46, 30), (54, 30)):
        c.fill(ellipse(x, y, 1, 1), light(p, 0.65), "none")
    c.label(36, 52, 64, 76, CREAM, hexa("d98b22"))
    c.gleam(30.5, 50, 74, 2, 0.6)


def _pouch(c: Canvas, p: Colour) -> None:
    """A stand-up bag."""
    c.shadow(50, 86, 24, 3.4)
    c.fill(smooth([(29, 16), (50, 15), (71, 16), (73, 40), (77, 84), (50, 87), (23, 84), (27, 40)]), p, "round")
    c.fill(box(28.6, 13, 71.4, 21, 0.8), dark(p, 0.14), "round")
    for x in range(30, 71, 2):
        c.line([(x, 14), (x, 20)], 0.3, light(p, 0.4), 0.6)


def nuts(c: Canvas, p: Colour) -> None:
    """A bag of nuts with a window."""
    _pouch(c, p)
    c.fill(smooth([(36, 52), (50, 46), (64, 52), (66, 70), (50, 78), (34, 70)]), hexa("f1dfc0"), "flat")
    spots: list[Point] = [(42, 57), (50, 53), (58, 57), (40, 66), (48, 63), (56, 66), (62, 63), (45, 72), (53, 73)]
    for number, (x, y) in enumerate(spots):
        nut = smooth([(x, y - 4), (x + 3, y), (x, y + 4), (x - 3, y)])
        c.fill(turn(nut, number * 47, x, y), mix(_BISCUIT, _COCOA, 0.3 * (number % 3)), "ball")
    c.fill(box(36, 27, 64, 40, 1), CREAM, "flat")
    c.line([(41, 32), (59, 32)], 1.5, dark(p, 0.25))
    c.line([(45, 36), (55, 36)], 0.9, dark(p, 0.25), 0.7)


def coffee(c: Canvas, p: Colour) -> None:
    """A bag of coffee with a valve, and beans before it."""
    _pouch(c, mix(KRAFT, p, 0.25))
    c.fill(box(31, 38, 69, 72, 1), p, "round")
    c.fill(ellipse(50, 50, 7.6, 7.6), CREAM, "side")
    c.line(smooth([(50, 43), (47.6, 48), (52.4, 52), (50, 57)], closed=False), 1.2, dark(p, 0.35))
    c.line([(38, 63), (62, 63)], 1.2, CREAM)
    c.line([(43, 67.4), (57, 67.4)], 0.8, CREAM)
    c.fill(ellipse(50, 29, 2.6, 2.6), dark(KRAFT, 0.3), "ball")
    for x, y, angle in ((24, 85, 30), (32, 89, -20), (73, 88, 60), (80, 84, 10)):
        c.soft(ellipse(x + 0.8, y + 2, 4, 1.6), _COCOA, 0.4, 0.7)
        c.fill(turn(ellipse(x, y, 4, 2.8), angle, x, y), _COCOA, "ball")
        c.line(
            turn(smooth([(x - 3.4, y), (x, y + 0.8), (x + 3.4, y)], closed=False), angle, x, y), 0.5, dark(_COCOA, 0.5)
        )


def noodles(c: Canvas, p: Colour) -> None:
    """A steaming bowl of noodles with chopsticks."""
    for x in (40, 52, 61):
        steam = smooth([(x, 36), (x - 3, 28), (x + 2, 21), (x, 12)], closed=False)
        c.soft([*steam, *[(px + 2, py) for px, py in reversed(steam)]], WHITE, 0.7, 0.9)
    c.body(50, [(78, 13), (82, 14)], dark(p, 0.15), foot=2)
    c.fill(lathe(50, [(48, 34), (58, 32), (70, 24), (79, 13.5)], foot=2), p)
    c.fill(lathe(50, [(60, 31), (62.4, 29.8)], foot=6), light(p, 0.65), "round", 0.85)
    c.rim(50, 48, 34, 8.6, p, hexa("c9762f"))
    for shift in range(7):
        wave = [(26 + at * 6, 46.6 + shift * 0.9 + (1.1 if (at + shift) % 2 else -1.1)) for at in range(9)]
        c.line(smooth(wave, closed=False), 1.3, hexa("f6d896") if shift % 2 else hexa("ecc274"))
    c.fill(ellipse(62, 47, 7, 3.6), WHITE, "side")
    c.fill(ellipse(62.4, 46.8, 3.6, 2), hexa("f5a834"), "ball")
    for x, y in ((36, 46), (42, 50), (47, 44.6), (33, 49)):
        c.fill(ellipse(x, y, 1.7, 1), LEAF, "side")
    c.tube([(70, 44), (92, 20)], 1.4, dark(KRAFT, 0.2))
    c.tube([(74, 46), (95, 25)], 1.4, dark(KRAFT, 0.2))


def teabox(c: Canvas, p: Colour) -> None:
    """A paper box of tea and a small cup."""
    c.shadow(44, 84, 23, 3.2)
    c.fill(box(23, 26, 65, 84, 1), p, "round")
    c.fill(box(22, 17, 66, 30, 1.4), dark(p, 0.2), "round")
    c.fill(box(33, 36, 55, 76, 1), CREAM, "flat")
    for angle, y in ((-28, 48), (28, 48), (0, 43)):
        leaf = smooth([(44, y - 6), (47, y), (44, y + 7), (41, y)])
        c.fill(turn(leaf, angle, 44, y + 7), mix(LEAF, p, 0.2), "side")
    c.line([(44, 50), (44, 58)], 0.8, dark(LEAF, 0.2))
    c.line([(38, 64), (50, 64)], 1.3, dark(p, 0.2))
    c.line([(40.6, 69), (47.4, 69)], 0.9, dark(p, 0.2))
    c.body(76, [(70, 11), (78, 9.5), (84, 6)], light(p, 0.72), foot=1.6)
    c.rim(76, 70, 11, 2.7, light(p, 0.72), hexa("c79a3c"))


def juice(c: Canvas, p: Colour) -> None:
    """A bottle of juice and half an orange."""
    fruit = mix(p, hexa("f39a2e"), 0.86)
    c.body(45, [(30, 6), (36, 7), (44, 14), (50, 16.4), (78, 16.4), (84, 15)], fruit, foot=2.6)
    c.fill(lathe(45, [(14, 7), (28, 7)], curved=False, foot=1.4), light(p, 0.1))
    c.fill(ellipse(45, 14.4, 7, 1.4), light(p, 0.4), "side")
    c.fill(lathe(45, [(27, 5.6), (32, 6)], curved=False, foot=1), light(fruit, 0.5))
    c.label(31.5, 54, 58.5, 76, CREAM, fruit)
    c.gleam(32.6, 50, 78, 1.6, 0.6)
    c.shadow(72, 85, 13, 2.6)
    c.fill(ellipse(72, 73, 13, 13), hexa("f0952b"), "ball")
    c.fill(ellipse(70.4, 73, 11.6, 12), hexa("fff0d2"), "none")
    for part in range(8):
        a, b = part * 45 + 4, part * 45 + 41
        c.fill([(70.4, 73), *ellipse(70.4, 73, 10.2, 10.6, a, b)], hexa("f7ad4a"), "flat")


KINDS: Final = {
    "cookies": cookies, "chocolate": chocolate, "honey": honey, "nuts": nuts, "coffee": coffee, "noodles": noodles,
    "teabox": teabox, "juice": juice,
}  # fmt: skip
