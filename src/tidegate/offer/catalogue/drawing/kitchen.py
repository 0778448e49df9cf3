"""Drawings of things for the kitchen and the table."""

from typing import Final

from tidegate.offer.catalogue.drawing.canvas import Canvas, box, ellipse, lathe, smooth
from tidegate.offer.catalogue.drawing.paint import DARK, STEEL, WHITE, WOOD, Colour, dark, light, mix


def kettle(c: Canvas, p: Colour) -> None:
    """A pour-over kettle with a thin spout."""
    c.shadow(50, 80, 25, 4)
    c.tube(smooth([(64, 40), (80, 38), (84, 52), (76, 66), (68, 68)], closed=False), 4, WOOD)
    c.tube(smooth([(36, 70), (24, 64), (25, 50), (20, 38), (13, 34)], closed=False), 3.6, p)
    c.fill(lathe(50, [(36, 13), (42, 17), (58, 22), (72, 24), (79, 23)], foot=2.4), p)
    c.fill(lathe(50, [(30, 5), (33, 11), (37, 13.5)], foot=1.6), light(p, 0.12))
    c.fill(ellipse(50, 27.5, 3.2, 3.2), WOOD, "ball")
    c.gleam(38, 48, 72)


def pot(c: Canvas, p: Colour) -> None:
    """A stew pot with a domed lid."""
    c.shadow(50, 78, 30, 4.5)
    for x in (17.5, 82.5):
        c.tube(smooth([(x, 56), (x - 3 if x < 50 else x + 3, 60), (x, 64)], closed=False), 4, p)
    c.fill(lathe(50, [(50, 31), (56, 31), (72, 30), (78, 26)], foot=3), p)
    c.fill(lathe(50, [(35, 7), (39, 19), (45, 29), (50, 32)], foot=2.4), light(p, 0.08))
    c.fill(ellipse(50, 52, 31, 1.2), dark(p, 0.35), "side", 0.5)
    c.fill(lathe(50, [(29, 5), (31, 5.4), (35, 3)], foot=1), STEEL)
    c.gleam(29, 57, 72, 2)


def pan(c: Canvas, p: Colour) -> None:
    """A frying pan seen from above at a slant."""
    c.shadow(42, 66, 32, 11, 0.3)
    c.tube([(68, 50), (92, 34)], 5, WOOD)
    c.fill(ellipse(42, 60, 32, 19), dark(p, 0.1), "round")
    c.fill(ellipse(42, 57, 32, 19), light(p, 0.2), "side")
    c.fill(ellipse(42, 57.6, 29.5, 17), dark(mix(p, DARK, 0.8), 0.1), "flat")
    c.fill(ellipse(42, 60, 24, 13), mix(p, DARK, 0.72), "flat")
    c.fill(smooth([(34, 58), (42, 53), (52, 56), (54, 62), (44, 66), (34, 64)]), WHITE, "none")
    c.fill(ellipse(45, 59.6, 5.4, 4), (244, 184, 66), "ball")


def mug(c: Canvas, p: Colour) -> None:
    """A mug of coffee."""
    c.shadow(47, 78, 22, 4)
    c.tube(smooth([(66, 44), (80, 44), (82, 58), (76, 66), (65, 66)], closed=False), 5, p)
    c.fill(lathe(47, [(36, 23), (50, 23), (70, 22), (78, 19)], foot=3), p)
    c.rim(47, 36, 23, 5, p, (92, 60, 42))
    c.fill(ellipse(47, 37.4, 18, 2.8), (122, 80, 54), "side")
    c.gleam(32, 46, 70, 2.2)
    for x in (40, 48):
        steam = smooth([(x, 30), (x - 2.5, 25), (x + 2, 20), (x, 13)], closed=False)
        c.soft([*steam, *[(px + 1.6, py) for px, py in reversed(steam)]], WHITE, 0.75, 0.7)


def bowl(c: Canvas, p: Colour) -> None:
    """A footed bowl with a painted band."""
    c.body(50, [(74, 13), (79, 14)], dark(p, 0.12), foot=2)
    c.fill(lathe(50, [(44, 33), (54, 31), (66, 24), (75, 14)], foot=2), p)
    c.fill(lathe(50, [(53, 31.3), (55, 30.8), (57, 30)], foot=5.5), WHITE, "round", 0.75)
    c.fill(lathe(50, [(53, 31.4), (54.6, 30.9)], foot=5.5), p)
    c.rim(50, 44, 33, 7.5, p, light(p, 0.55))
    c.soft(ellipse(41, 45, 14, 3), WHITE, 0.5, 1.4)


def flask(c: Canvas, p: Colour) -> None:
    """A steel thermos with a coloured body."""
    c.shadow(50, 83, 14, 3)
    c.fill(lathe(50, [(34, 14.5), (36, 15), (78, 15), (82, 14)], foot=2.4), p)
    c.fill(lathe(50, [(28, 11), (32, 13), (35, 14.6)], foot=1.8), STEEL)
    c.fill(lathe(50, [(14, 10), (16, 11.5), (28, 11.5)], foot=1.6), dark(p, 0.35))
    c.fill(ellipse(50, 14.4, 10.4, 1.8), dark(p, 0.15), "side")
    c.fill(box(35, 74, 65, 75.6), STEEL, "round", 0.9)
    c.gleam(41, 40, 72, 2, 0.5)


KINDS: Final = {"kettle": kettle, "pot": pot, "pan": pan, "mug": mug, "bowl": bowl, "flask": flask}
