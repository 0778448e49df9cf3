"""Drawings of household appliances."""

import math
from typing import Final

from tidegate.offer.catalogue.drawing.canvas import Canvas, box, ellipse, lathe, smooth, turn
from tidegate.offer.catalogue.drawing.paint import DARK, INK, STEEL, WHITE, Colour, dark, hexa, light, mix


def fan(c: Canvas, p: Colour) -> None:
    """A standing fan."""
    c.shadow(50, 86, 18, 3.2)
    c.fill(lathe(50, [(82, 14), (85, 18)], foot=2.4), light(p, 0.15))
    c.fill(box(47.8, 58, 52.2, 83), STEEL, "round")
    c.fill(ellipse(50, 38, 29, 29), light(p, 0.72), "ball", 0.55)
    for angle in (10, 82, 154, 226, 298):
        blade = smooth([(50, 38), (58, 30), (61, 17), (52, 12.5), (45, 20)])
        c.fill(turn(blade, angle, 50, 38), p, "side", 0.94)
    for spoke in range(36):
        x, y = math.cos(spoke * math.pi / 18), math.sin(spoke * math.pi / 18)
        c.line([(50 + x * 6, 38 + y * 6), (50 + x * 28.5, 38 + y * 28.5)], 0.28, WHITE, 0.75)
    for radius in (12, 20, 29):
        c.line(ellipse(50, 38, radius, radius), 1.5 if radius == 29 else 0.4, dark(p, 0.15) if radius == 29 else WHITE)
    c.fill(ellipse(50, 38, 6.4, 6.4), light(p, 0.12), "ball")


def ricecooker(c: Canvas, p: Colour) -> None:
    """A rice cooker with a display."""
    c.shadow(50, 80, 30, 4.5)
    c.tube(smooth([(22, 42), (24, 26), (50, 20), (76, 26), (78, 42)], closed=False), 3.2, STEEL)
    c.fill(lathe(50, [(44, 31), (52, 33), (68, 32), (79, 27)], foot=3.4), p)
    c.fill(lathe(50, [(29, 15), (33, 25), (40, 30.5), (45, 31.5)], foot=3.2), light(p, 0.28))
    c.fill(ellipse(50, 32, 7, 1.9), STEEL, "side")
    c.fill(box(37, 55, 63, 72, 3), INK, "flat")
    c.fill(box(42, 58, 58, 64, 1), hexa("9fd8cf"), "none")
    for x in (43, 50, 57):
        c.fill(ellipse(x, 68, 1.4, 1.4), STEEL, "ball")
    c.gleam(26, 52, 70, 1.8)


def purifier(c: Canvas, p: Colour) -> None:
    """An air purifier with slots."""
    c.shadow(50, 85, 20, 3.6)
    c.fill(lathe(50, [(20, 19), (24, 20), (80, 20), (84, 19)], foot=3), light(p, 0.4))
    c.fill(lathe(50, [(52, 20), (80, 20), (84, 19)], curved=False, foot=3), p)
    for row in range(9):
        for column in range(-6, 7):
            x = 50 + 19 * math.sin(column * 0.21)
            c.fill(ellipse(x, 56 + row * 3, 0.62 * math.cos(column * 0.2), 0.8), dark(p, 0.5), "none")
    c.rim(50, 20, 19, 4.4, light(p, 0.4), DARK)
    c.fill(ellipse(50, 20.4, 11, 2.2), hexa("8fe0d4"), "none", 0.8)
    c.fill(ellipse(50, 38, 6, 6), INK, "flat")
    c.line(ellipse(50, 38, 4.4, 4.4, -90, 180), 0.9, hexa("8fe0d4"))


def hairdryer(c: Canvas, p: Colour) -> None:
    """A hair dryer lying on its handle."""
    c.shadow(55, 84, 12, 3)
    c.fill(turn(box(52, 44, 63, 84, 5), 8, 57, 44), light(p, 0.12), "round")
    c.fill(box(55, 58, 60, 68, 2), DARK, "flat")
    c.fill([(20, 27), (28, 25), (28, 51), (20, 49)], DARK, "flat")
    c.fill(
        smooth([(26, 25), (44, 21), (64, 20), (78, 25), (83, 37.5), (78, 50), (64, 55), (44, 54), (26, 51)]), p, "flat"
    )
    c.soft(box(36, 25, 68, 28, 1.4), WHITE, 0.55, 0.9)
    c.fill(ellipse(74, 37.5, 9, 12.5), dark(p, 0.3), "side")
    for ring in (0.8, 0.55, 0.3):
        c.line(ellipse(74, 37.5, 9 * ring, 12.5 * ring), 0.7, light(p, 0.35))


def vacuum(c: Canvas, p: Colour) -> None:
    """A cordless vacuum cleaner standing upright."""
    c.shadow(46, 87, 20, 3)
    c.fill(box(29, 81, 63, 88, 3), dark(p, 0.1), "flat")
    c.tube([(46, 82), (50, 44)], 3.4, STEEL)
    c.tube(smooth([(52, 34), (70, 30), (72, 16), (58, 12), (50, 18)], closed=False), 4.2, DARK)
    c.fill(turn(box(43, 16, 58, 48, 6), 6, 50, 32), p, "round")
    c.fill(turn(box(45.5, 30, 55.5, 46, 3), 6, 50, 32), light(mix(p, WHITE, 0.5), 0.3), "round", 0.85)
    c.fill(ellipse(51.5, 21, 5.2, 4), light(p, 0.3), "ball")
    c.fill(box(33, 84, 59, 85.4, 0.7), light(p, 0.5), "none", 0.8)


KINDS: Final = {"fan": fan, "ricecooker": ricecooker, "purifier": purifier, "hairdryer": hairdryer, "vacuum": vacuum}
