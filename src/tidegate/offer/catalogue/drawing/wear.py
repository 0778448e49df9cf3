"""Drawings of clothes, shoes and bags."""

from collections.abc import Sequence
from typing import Final

from tidegate.offer.catalogue.drawing.canvas import Canvas, Point, box, ellipse, mirror, smooth
from tidegate.offer.catalogue.drawing.paint import DARK, GOLD, STEEL, WHITE, WOOD, Colour, dark, light


def _both(half: Sequence[Point]) -> list[Point]:
    """A symmetrical outline from its right half, top to bottom."""
    return [*half, *reversed(mirror(half))]


def _hang(c: Canvas, points: Sequence[Point]) -> None:
    """The shadow of something that hangs before the wall."""
    c.soft([(x + 3, y + 3) for x, y in points], dark(c.floor, 0.85), 0.3, 2.6)


def tshirt(c: Canvas, p: Colour) -> None:
    """A T-shirt laid flat."""
    half = [(56, 20), (66, 23), (88, 36), (81, 51), (72, 47), (72, 84), (50, 85.5)]
    _hang(c, _both(half))
    c.fill(_both(half), p, "side")
    c.fill([*ellipse(50, 20, 9.4, 9, 0, 180)], dark(p, 0.3), "flat")
    c.line(ellipse(50, 20, 9.4, 9, 0, 180), 1.8, light(p, 0.15))
    for points in ([(72, 46), (70, 58)], [(28, 46), (30, 58)]):
        c.line(points, 0.7, dark(p, 0.25), 0.7)
    for fold in ([(60, 60), (57, 72), (58, 84)], [(40, 54), (43, 68), (41, 84)]):
        c.line(smooth(fold, closed=False), 0.9, dark(p, 0.2), 0.35)
    c.fill(box(44, 44, 56, 56, 6), light(p, 0.5) if sum(p) < 600 else dark(p, 0.25), "flat", 0.85)


def hoodie(c: Canvas, p: Colour) -> None:
    """A hoodie laid flat."""
    half = [(54, 18), (64, 26), (76, 32), (88, 74), (79, 78), (72, 54), (71, 82), (50, 83)]
    _hang(c, _both(half))
    c.fill(_both(half), p, "side")
    c.fill(_both([(50, 82), (71, 81), (70.6, 86.5), (50, 87)]), dark(p, 0.14), "side")
    c.fill(
        smooth([(50, 10), (63, 14), (67, 26), (60, 35), (50, 39), (40, 35), (33, 26), (37, 14)]), dark(p, 0.1), "side"
    )
    c.fill(
        smooth([(50, 16), (58, 19), (60, 26), (55, 32), (50, 35), (45, 32), (40, 26), (42, 19)]), dark(p, 0.45), "flat"
    )
    for x in (46, 54):
        c.line([(x, 34), (x - 0.5, 50)], 0.9, light(p, 0.65))
    c.fill(_both([(50, 60), (60, 60), (66, 73), (50, 73)]), light(p, 0.1), "flat")
    c.line([(60, 60), (66, 73)], 0.8, dark(p, 0.25))
    c.line([(40, 60), (34, 73)], 0.8, dark(p, 0.25))


def dress(c: Canvas, p: Colour) -> None:
    """A dress with a pleated skirt."""
    half = [(56, 14), (63, 13), (66, 24), (62, 34), (60, 44), (66, 58), (76, 84), (64, 88), (50, 89)]
    _hang(c, _both(half))
    c.fill(_both(half), p, "round")
    c.fill(smooth([(43, 13), (50, 22), (57, 13), (50, 15)]), dark(p, 0.4), "flat")
    for x in (-18, -11, -4, 4, 11, 18):
        c.line(smooth([(50 + x * 0.45, 46), (50 + x * 0.7, 64), (50 + x, 87)], closed=False), 0.8, dark(p, 0.25), 0.45)
    c.fill(_both([(50, 42.6), (60.2, 42), (60.2, 46), (50, 46.8)]), light(p, 0.45) if sum(p) < 600 else GOLD, "round")
    c.soft(smooth([(41, 24), (45, 24), (44, 38), (42, 38)]), WHITE, 0.3, 1)


def trousers(c: Canvas, p: Colour) -> None:
    """Trousers laid flat."""
    half = [(66, 14), (69, 40), (68, 88), (54, 88), (50, 38)]
    _hang(c, _both(half))
    c.fill([(50, 14), (66, 14), (69, 40), (68, 88), (54, 88), (50, 38)], p, "side")
    c.fill(mirror([(50, 14), (66, 14), (69, 40), (68, 88), (54, 88), (50, 38)]), light(p, 0.06), "side")
    c.fill(_both([(50, 12.5), (66, 12.5), (66.4, 18), (50, 18)]), dark(p, 0.16), "round")
    for x in (37, 62):
        c.fill(box(x, 11.6, x + 1.8, 19), light(p, 0.18), "none")
    c.fill(ellipse(50, 15.2, 1.3, 1.3), GOLD, "ball")
    c.line([(50, 18), (50, 36)], 0.8, dark(p, 0.35))
    for points in ([(66, 21), (60, 30), (59, 20)], [(34, 21), (40, 30), (41, 20)]):
        c.line(smooth(points, closed=False), 0.7, dark(p, 0.3))
    for x in (61, 39):
        c.line([(x, 40), (x + (x - 50) * 0.05, 86)], 0.6, dark(p, 0.2), 0.5)


def scarf(c: Canvas, p: Colour) -> None:
    """A checked scarf, looped."""
    ends = ([(36, 44), (52, 46), (46, 82), (30, 80)], [(50, 46), (66, 42), (72, 86), (56, 88)])
    for number, end in enumerate(ends):
        _hang(c, end)
        tone = dark(p, 0.1) if number == 0 else p
        c.fill(end, tone, "side")
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = end
        for share in (0.45, 0.6, 0.9):
            left, right = (
                (ax + (dx - ax) * share, ay + (dy - ay) * share),
                (bx + (cx - bx) * share, by + (cy - by) * share),
            )
            c.line([left, right], 2 if share != 0.6 else 0.8, light(p, 0.55), 0.8)
        for at in range(9):
            x, y = dx + (cx - dx) * at / 8, dy + (cy - dy) * at / 8
            c.line([(x, y), (x + 0.4, y + 5)], 0.7, tone)
    loop = smooth([(24, 30), (36, 18), (50, 15), (64, 18), (76, 30), (70, 46), (50, 54), (30, 46)])
    c.fill(loop, light(p, 0.06), "round")
    c.fill(smooth([(34, 29), (50, 22), (66, 29), (60, 36), (50, 38), (40, 36)]), dark(p, 0.5), "flat")
    c.line(smooth([(26, 38), (40, 46), (50, 47.5), (62, 46), (74, 37)], closed=False), 1.8, light(p, 0.55), 0.8)


def hat(c: Canvas, p: Colour) -> None:
    """A baseball cap."""
    c.shadow(50, 70, 36, 4.4)
    dome = [*ellipse(44, 62, 30, 36, 180, 360), *ellipse(44, 62, 30, 7, 0, 180)]
    c.fill(dome, p, "round")
    c.line(smooth([(44, 26), (54, 42), (57, 66)], closed=False), 0.6, dark(p, 0.35))
    c.line(smooth([(44, 26), (30, 42), (26, 66)], closed=False), 0.6, dark(p, 0.35))
    c.fill(ellipse(44, 26.4, 2.6, 1.6), dark(p, 0.15), "ball")
    c.fill(smooth([(40, 68), (58, 61), (76, 59), (93, 65), (88, 71), (70, 70), (52, 72)]), dark(p, 0.14), "flat")
    c.line(smooth([(46, 68.4), (60, 64), (76, 62), (90, 66)], closed=False), 0.5, light(p, 0.3))
    c.fill(ellipse(57, 48, 6, 6.6), light(p, 0.6) if sum(p) < 600 else dark(p, 0.3), "side", 0.9)


def socks(c: Canvas, p: Colour) -> None:
    """A pair of striped socks."""
    one = [(30, 14), (46, 14), (46, 48), (50, 60), (62, 70), (66, 78), (60, 84), (48, 82), (34, 72), (30, 54)]
    for shift, tone in ((14, dark(p, 0.12)), (0, p)):
        sock = [(x + shift, y + shift * 0.25) for x, y in one]
        outline = [sock[0], sock[1], *smooth(sock[1:], closed=False), *smooth([sock[-1], sock[0]], closed=False)]
        _hang(c, outline)
        c.fill(outline, tone, "side")
        for y in (24, 30, 36):
            c.fill(box(30.1 + shift, y + shift * 0.25, 46 + shift, y + 2.6 + shift * 0.25), light(p, 0.62), "side", 0.9)
        c.fill(box(29.4 + shift, 13 + shift * 0.25, 46.6 + shift, 20 + shift * 0.25, 1.6), light(tone, 0.25), "side")
        toe = smooth([(60 + shift, 69 + shift * 0.25), (66.6 + shift, 77.6), (60.5 + shift, 84.2), (54 + shift, 83)])
        c.fill(toe, light(p, 0.62), "flat", 0.9)


def sneaker(c: Canvas, p: Colour) -> None:
    """A running shoe from the side."""
    c.shadow(50, 77, 40, 3.2)
    c.fill(
        smooth([(10, 70), (12, 66), (50, 67), (88, 66), (93, 70), (90, 76), (70, 78), (30, 78), (12, 76)]),
        WHITE,
        "flat",
    )
    upper = smooth([(12, 67), (13, 52), (18, 38), (27, 36), (34, 44), (46, 43), (60, 54), (80, 59), (91, 67), (50, 69)])
    c.fill(upper, p, "flat")
    c.fill(smooth([(13, 66), (14, 54), (18, 42), (25, 52), (26, 67)]), dark(p, 0.2), "flat")
    c.fill(smooth([(72, 67), (74, 59), (86, 62), (91, 67.4)]), dark(p, 0.2), "flat")
    c.fill(smooth([(26, 37), (32, 43), (40, 42.6), (34, 47), (22, 42)]), dark(p, 0.55), "flat")
    c.line(smooth([(28, 66), (40, 56), (60, 62), (70, 66)], closed=False), 2.6, light(p, 0.7) if sum(p) < 620 else GOLD)
    for x, y in ((44, 44), (49, 47.4), (54, 51), (59, 54.4)):
        c.line([(x, y + 3), (x + 5, y - 1)], 1.3, WHITE)
    c.line(smooth([(12, 73.6), (50, 74.6), (91, 73)], closed=False), 0.7, p, 0.8)


def boot(c: Canvas, p: Colour) -> None:
    """An ankle boot from the side."""
    c.shadow(50, 84, 31, 3)
    upper = smooth(
        [(28, 14), (50, 13), (56, 15), (57, 40), (60, 54), (74, 61), (83, 70), (82, 79), (50, 80), (27, 79), (25, 50)]
    )
    c.fill(upper, p, "side")
    c.fill(smooth([(40, 20), (47, 22), (48, 44), (43, 50), (38, 44)]), dark(p, 0.45), "flat")
    c.fill(box(22.5, 77.5, 84, 83.5, 2.6), dark(p, 0.6), "flat")
    c.fill(box(23, 82, 42, 86.5, 1), dark(p, 0.7), "flat")
    c.fill(box(27, 9, 32, 18, 2), dark(p, 0.3), "none")
    c.line([(24, 77.6), (83, 77.6)], 0.7, light(p, 0.5), 0.8)
    c.soft(smooth([(62, 60), (74, 65), (78, 70), (66, 66)]), WHITE, 0.45, 1.2)
    c.soft(box(31, 24, 33.4, 66, 1), WHITE, 0.28, 1)


def backpack(c: Canvas, p: Colour) -> None:
    """A backpack from the front."""
    c.shadow(50, 86, 27, 3.6)
    c.tube(smooth([(41, 18), (43, 9), (57, 9), (59, 18)], closed=False), 2.6, dark(p, 0.35))
    for strap in ([(26, 30), (18, 44), (20, 70)], [(74, 30), (82, 44), (80, 70)]):
        c.tube(smooth(strap, closed=False), 3.4, dark(p, 0.35))
    c.fill(
        smooth([(28, 30), (34, 17), (50, 14), (66, 17), (72, 30), (76, 62), (74, 82), (50, 86), (26, 82), (24, 62)]),
        p,
        "round",
    )
    c.line(smooth([(29, 42), (32, 26), (50, 20), (68, 26), (71, 42)], closed=False), 1, dark(p, 0.4))
    c.fill(box(30, 50, 70, 81, 6), light(p, 0.08), "round")
    c.line([(33, 57), (67, 57)], 1, dark(p, 0.4))
    c.line([(64, 57), (64.6, 62)], 1.3, GOLD)
    c.fill(box(43, 30, 57, 40, 1.6), WOOD, "flat")
    c.line([(46, 35), (54, 35)], 0.7, dark(WOOD, 0.4))


def handbag(c: Canvas, p: Colour) -> None:
    """A handbag with a clasp."""
    c.shadow(50, 83, 31, 3.6)
    c.tube(smooth([(33, 46), (35, 22), (50, 13), (65, 22), (67, 46)], closed=False), 3, dark(p, 0.2))
    c.fill(smooth([(23, 42), (50, 40), (77, 42), (83, 78), (80, 83), (50, 84), (20, 83), (17, 78)]), p, "round")
    c.fill(smooth([(22, 42), (50, 40), (78, 42), (76, 56), (50, 66), (24, 56)]), light(p, 0.1), "flat")
    c.line(smooth([(24, 54), (36, 62), (50, 65), (64, 62), (76, 54)], closed=False), 0.6, dark(p, 0.35))
    c.fill(box(45.5, 58, 54.5, 67, 2), GOLD, "round")
    for x in (33, 67):
        c.fill(ellipse(x, 46, 2, 2), GOLD, "ball")
    c.gleam(27, 64, 79, 2.4, 0.25)


def suitcase(c: Canvas, p: Colour) -> None:
    """A rolling suitcase with its handle out."""
    c.shadow(50, 88, 22, 3)
    for x in (41, 59):
        c.fill(box(x - 1.2, 10, x + 1.2, 30), STEEL, "round")
    c.fill(box(38, 7, 62, 12, 2.4), DARK, "flat")
    for x in (33, 67):
        c.fill(ellipse(x, 87, 3.4, 3.4), DARK, "ball")
    c.fill(box(27, 26, 73, 85, 6), p, "round")
    for x in (34, 42, 50, 58, 66):
        c.line([(x, 31), (x, 80)], 1.6, dark(p, 0.24), 0.6)
        c.line([(x - 0.9, 31), (x - 0.9, 80)], 0.6, light(p, 0.45), 0.7)
    c.fill(box(43, 24, 57, 28.4, 1.6), DARK, "flat")
    c.fill(box(27, 54, 73, 56, 0), dark(p, 0.35), "round", 0.8)
    c.fill(box(62, 51.4, 69, 58.6, 1.2), STEEL, "flat")


KINDS: Final = {
    "tshirt": tshirt, "hoodie": hoodie, "dress": dress, "trousers": trousers, "scarf": scarf, "hat": hat,
    "socks": socks, "sneaker": sneaker, "boot": boot, "backpack": backpack, "handbag": handbag, "suitcase": suitcase,
}  # fmt: skip
