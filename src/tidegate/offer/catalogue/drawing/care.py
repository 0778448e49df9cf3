"""Drawings of beauty and care."""

from typing import Final

from tidegate.offer.catalogue.drawing.canvas import Canvas, box, ellipse, lathe, smooth
from tidegate.offer.catalogue.drawing.paint import CREAM, GOLD, WHITE, Colour, dark, hexa, light, mix


def lipstick(c: Canvas, p: Colour) -> None:
    """A lipstick, its cap beside it."""
    c.shadow(42, 84, 11, 2.8)
    c.shadow(70, 84, 10, 2.6)
    c.fill(lathe(42, [(54, 10.5), (84, 10.5)], curved=False, foot=2), dark(p, 0.55))
    c.fill(lathe(42, [(42, 8), (55, 8)], curved=False, foot=1.6), GOLD)
    tint = mix(p, hexa("c93c4f"), 0.6)
    c.fill(
        [(35.6, 43), (35.6, 24), *smooth([(35.6, 24), (40, 17), (46, 16), (48.4, 22)], closed=False), (48.4, 43)],
        tint,
        "round",
    )
    c.fill(smooth([(36, 23.5), (40.5, 17.4), (46, 16.6), (48, 22), (43, 27)]), light(tint, 0.3), "flat", 0.8)
    c.fill(lathe(70, [(48, 9), (50, 9.6), (83, 9.6)], curved=False, foot=1.8), dark(p, 0.55))
    c.fill(lathe(70, [(78, 9.7), (80, 9.7)], curved=False, foot=1.8), GOLD)
    c.fill(ellipse(70, 48.4, 9, 1.7), dark(p, 0.3), "side")
    c.gleam(65, 53, 76, 1.4)


def cream(c: Canvas, p: Colour) -> None:
    """A jar of face cream with a golden lid."""
    c.shadow(50, 79, 27, 4.4)
    c.fill(lathe(50, [(50, 27), (54, 28), (74, 28), (79, 26)], foot=3.6), p)
    c.fill(lathe(50, [(34, 27), (36, 28), (50, 28)], curved=False, foot=3.6), GOLD)
    c.fill(ellipse(50, 34.6, 27.4, 4.6), light(GOLD, 0.35), "side")
    c.label(36, 58, 64, 76, light(p, 0.72), dark(p, 0.35))
    c.gleam(26.5, 56, 76, 2.2)


def serum(c: Canvas, p: Colour) -> None:
    """A dropper bottle."""
    c.shadow(50, 85, 17, 3)
    c.fill(lathe(50, [(44, 6), (47, 10), (52, 17), (56, 18.4), (80, 18.4), (84, 17)], foot=2.6), p)
    c.fill(lathe(50, [(32, 7.6), (45, 7.6)], curved=False, foot=1.6), GOLD)
    c.fill(lathe(50, [(12, 3.4), (16, 5.4), (28, 5.8), (33, 4.4)], foot=1.2), dark(p, 0.6))
    c.label(36, 58, 64, 78, CREAM, dark(p, 0.3))
    c.gleam(34, 55, 80, 1.8, 0.5)


def perfume(c: Canvas, p: Colour) -> None:
    """A square perfume bottle of tinted glass."""
    c.shadow(50, 83, 25, 3.4)
    c.fill(box(26, 38, 74, 83, 5), light(p, 0.45), "round")
    c.fill(box(30, 42, 70, 79, 3.4), light(p, 0.66), "flat")
    c.fill(box(30, 53, 70, 79, 3.4), p, "round", 0.85)
    c.fill(ellipse(50, 53.4, 20, 1.4), light(p, 0.3), "side")
    c.fill(box(44, 31, 56, 39), GOLD, "round")
    c.fill(box(40, 14, 60, 32, 3), dark(p, 0.5), "round")
    c.line([(50, 44), (50, 76)], 0.6, WHITE, 0.8)
    c.fill(box(40, 60, 60, 70, 0.8), CREAM, "flat")
    c.line([(44, 65), (56, 65)], 0.8, dark(p, 0.3))
    c.gleam(31.5, 45, 77, 1.8, 0.6)


def shampoo(c: Canvas, p: Colour) -> None:
    """A pump bottle."""
    c.shadow(50, 86, 18, 3.2)
    c.tube(smooth([(50, 18), (40, 17.4), (32, 19), (30, 22)], closed=False), 3.4, light(p, 0.5))
    c.fill(box(48.2, 18, 51.8, 30), light(p, 0.4), "round")
    c.fill(lathe(50, [(27, 7.6), (36, 8)], curved=False, foot=1.6), light(p, 0.5))
    c.fill(lathe(50, [(36, 9), (40, 17), (46, 19.4), (80, 19.4), (85, 18)], foot=3), p)
    c.label(35, 50, 65, 76, light(p, 0.75), dark(p, 0.35))
    c.gleam(33, 46, 80, 2)


def soap(c: Canvas, p: Colour) -> None:
    """Two bars of soap, one on the other."""
    for shift, tone in ((17, dark(p, 0.1)), (0, p)):
        x, y = 50 - shift * 0.25, 46 + shift
        if shift:
            c.shadow(x, y + 14, 31, 5)
        else:
            c.soft(ellipse(x + 1, y + 13.6, 27, 3.4), dark(p, 0.8), 0.4, 1.6)
        c.fill(box(x - 31, y - 9, x + 31, y + 14, 9), dark(tone, 0.1), "round")
        c.fill(box(x - 31, y - 13, x + 31, y + 7, 9), light(tone, 0.14), "side")
        c.line(box(x - 24, y - 9, x + 24, y + 3, 5.6), 0.8, dark(tone, 0.16), 0.8)
    c.fill(ellipse(50, 43, 7, 3.4), dark(p, 0.12), "flat", 0.55)
    for x, y, r in ((76, 27, 4.4), (84, 38, 2.4), (70, 20, 2)):
        c.fill(ellipse(x, y, r, r), WHITE, "none", 0.45)
        c.line(ellipse(x, y, r, r), 0.4, WHITE)
        c.soft(ellipse(x - r * 0.35, y - r * 0.4, r * 0.3, r * 0.2), WHITE, 0.95, 0.2)


KINDS: Final = {
    "lipstick": lipstick, "cream": cream, "serum": serum, "perfume": perfume, "shampoo": shampoo, "soap": soap,
}  # fmt: skip
