"""Drawings of toys, books, stationery and sport."""

from typing import Final

from tidegate.offer.catalogue.drawing.canvas import Canvas, box, ellipse, lathe, mirror, smooth, turn
from tidegate.offer.catalogue.drawing.paint import CREAM, DARK, GOLD, INK, STEEL, WHITE, Colour, dark, hexa, light, mix


def bear(c: Canvas, p: Colour) -> None:
    """A sitting teddy bear."""
    soft = light(p, 0.55)
    c.shadow(50, 86, 28, 3.6)
    for x in (32, 68):
        c.fill(ellipse(x, 19, 8.6, 8.6), p, "ball")
        c.fill(ellipse(x, 19.6, 5, 5), soft, "ball")
        c.fill(turn(ellipse(x, 60, 7, 12), 28 if x < 50 else -28, x, 60), p, "ball")
    c.fill(ellipse(50, 66, 21, 20), p, "ball")
    c.fill(ellipse(50, 68, 12.5, 12.5), soft, "ball")
    for x in (31, 69):
        c.fill(ellipse(x, 80, 11, 8.4), p, "ball")
        c.fill(ellipse(x, 80.6, 5.6, 5), soft, "ball")
    c.fill(ellipse(50, 34, 22.5, 20.5), p, "ball")
    c.fill(ellipse(50, 40.6, 10, 8), soft, "ball")
    for x in (41, 59):
        c.fill(ellipse(x, 31, 2.1, 2.5), INK, "none")
        c.fill(ellipse(x - 0.6, 30.2, 0.7, 0.7), WHITE, "none")
    c.fill(ellipse(50, 37.4, 3.2, 2.3), INK, "ball")
    c.line(smooth([(45.6, 43), (48, 45), (50, 42), (52, 45), (54.4, 43)], closed=False), 0.9, INK)


def blocks(c: Canvas, p: Colour) -> None:
    """A tower of wooden blocks."""
    c.shadow(50, 84, 32, 3.6)
    for x, y, tone in ((22, 62, p), (44, 62, hexa("ecb64f")), (33, 40, hexa("7fb7a2"))):
        c.fill(box(x, y, x + 21.4, y + 22, 1.6), tone, "side")
        c.fill(box(x + 2.6, y + 2.6, x + 18.8, y + 19.4, 1), light(tone, 0.24), "flat")
    c.fill(ellipse(32.6, 73, 5, 5), p, "ball")
    c.fill([(54.6, 67.4), (60.4, 78.4), (48.8, 78.4)], hexa("d99a2e"), "flat")
    c.fill(box(39, 46.6, 48.6, 56, 1), hexa("5f9d86"), "flat")
    c.fill([(31, 40), (43.7, 20), (56.4, 40)], mix(p, hexa("d9644f"), 0.5), "side")
    c.fill(lathe(76, [(52, 8), (84, 8)], curved=False, foot=2), light(p, 0.35))
    c.fill(ellipse(76, 52, 8, 2), light(p, 0.6), "side")
    c.fill(ellipse(76, 43.5, 8, 8), hexa("e08a5b"), "ball")


def robot(c: Canvas, p: Colour) -> None:
    """A friendly robot."""
    c.shadow(50, 87, 21, 3)
    c.line([(50, 18), (50, 9)], 1.4, STEEL)
    c.fill(ellipse(50, 8, 2.8, 2.8), hexa("f2b84b"), "ball")
    for x in (41, 59):
        c.fill(box(x - 4, 72, x + 4, 84, 2), STEEL, "round")
        c.fill(box(x - 6, 81, x + 6, 87.4, 2.6), dark(p, 0.2), "round")
    for arm in ([(29, 50), (20, 56), (20, 66)], [(71, 50), (80, 44), (82, 34)]):
        c.tube(smooth(arm, closed=False), 4.4, STEEL)
        c.fill(ellipse(*arm[-1], 4.4, 4.4), dark(p, 0.15), "ball")
    c.fill(box(30, 44, 70, 75, 6), p, "round")
    c.fill(box(26.6, 17, 73.4, 44, 9), light(p, 0.12), "round")
    c.fill(box(32, 22, 68, 39, 6), INK, "flat")
    for x in (42, 58):
        c.fill(ellipse(x, 30, 3.4, 3.8), hexa("8fe8dc"), "ball")
    c.line(smooth([(46.6, 34.4), (50, 36), (53.4, 34.4)], closed=False), 0.9, hexa("8fe8dc"))
    c.fill(box(38, 51, 62, 66, 2), light(p, 0.6), "flat")
    c.fill(ellipse(44, 58.4, 2.8, 2.8), hexa("e2574c"), "ball")
    for y in (55, 58.4, 61.8):
        c.line([(51, y), (58, y)], 1, dark(p, 0.3))


def book(c: Canvas, p: Colour) -> None:
    """A hardback, standing, with its pages to the right."""
    c.shadow(51, 86, 25, 3)
    c.fill([(70, 14), (76, 17), (76, 84), (70, 86)], CREAM, "side")
    for x in (71.6, 73, 74.4):
        c.line([(x, 16), (x, 85)], 0.25, dark(CREAM, 0.3), 0.7)
    c.fill(box(26, 13, 71, 86, 1.2), p, "side")
    c.fill(box(26, 13, 31, 86, 1), dark(p, 0.22), "side")
    c.fill(box(37, 21, 66, 56, 0.8), light(p, 0.62), "flat")
    c.fill(ellipse(57, 31, 4.6, 4.6), hexa("f5c969"), "ball")
    c.fill(
        [(37, 56), (37, 46), *smooth([(37, 46), (45, 37), (52, 46), (58, 41), (66, 50)], closed=False), (66, 56)],
        dark(p, 0.12),
        "flat",
    )
    c.fill([(37, 56), *smooth([(37, 52), (48, 47), (58, 52), (66, 49)], closed=False), (66, 56)], dark(p, 0.4), "flat")
    c.line([(41, 65), (62, 65)], 1.9, CREAM)
    c.line([(45, 71), (58, 71)], 1.1, CREAM, 0.85)
    c.line([(47, 79), (56, 79)], 0.8, GOLD)


def notebook(c: Canvas, p: Colour) -> None:
    """A cloth notebook with an elastic band and a ribbon."""
    tilt = 7.0
    c.soft(turn(box(27, 17, 78, 88, 3), tilt), dark(p, 0.85), 0.42, 2.4)
    c.fill(turn(box(28, 15, 75, 86, 2.6), tilt), CREAM, "flat")
    c.line(turn([(60, 84), (60, 94)], tilt), 1.6, hexa("d3574c"))
    c.fill(turn(box(25, 14, 73, 85, 3), tilt), p, "side")
    c.line(turn([(31, 14.6), (31, 84.4)], tilt), 0.6, dark(p, 0.25))
    c.line(turn([(66, 14.4), (66, 84.8)], tilt), 1.7, dark(p, 0.45))
    c.fill(turn(box(37, 27, 59, 40, 1), tilt), light(p, 0.75), "flat")
    c.line(turn([(41, 32), (55, 32)], tilt), 1, dark(p, 0.3))
    c.line(turn([(43, 36), (53, 36)], tilt), 0.7, dark(p, 0.3))


def pen(c: Canvas, p: Colour) -> None:
    """A pen across a sheet of paper with a written line."""
    c.soft(turn(box(22, 22, 82, 90, 1), -6), dark(c.floor, 0.8), 0.3, 2.2)
    c.fill(turn(box(20, 19, 80, 87, 1), -6), light(CREAM, 0.6), "flat")
    for y in (34, 42, 50, 58, 66, 74):
        c.line(turn([(27, y), (73, y)], -6), 0.3, STEEL, 0.8)
    c.line(
        turn(
            smooth([(28, 33), (32, 28), (35, 34), (40, 29), (44, 34), (50, 30), (56, 34), (62, 31)], closed=False), -6
        ),
        0.8,
        p,
    )
    tilt = 42.0
    c.soft(turn(box(48, 10, 57, 92, 4), tilt), INK, 0.4, 1.6)
    c.fill(turn(box(45.6, 8, 54.4, 48, 3.6), tilt), p, "round")
    c.fill(turn(box(45.6, 45, 54.4, 48.4), tilt), GOLD, "round")
    c.fill(turn(box(46, 48, 54, 78, 1.4), tilt), dark(p, 0.25), "round")
    c.fill(turn([(46.4, 77), (53.6, 77), (51, 90), (49, 90)], tilt), GOLD, "side")
    c.line(turn([(52.8, 12), (52.8, 36)], tilt), 1.5, GOLD)


def dumbbell(c: Canvas, p: Colour) -> None:
    """A pair of hex dumbbells."""
    for shift, tone in ((-17, dark(p, 0.14)), (5, p)):
        y = 58 + shift
        c.shadow(50 + shift * 0.3, y + 17, 38, 4)
        x = shift * 0.3
        c.fill(box(30 + x, y - 4, 70 + x, y + 4, 3), STEEL, "flat")
        for at in range(8):
            c.line([(40 + at * 2.8 + x, y - 3.4), (41 + at * 2.8 + x, y + 3.4)], 0.4, dark(STEEL, 0.4), 0.6)
        for left, right in ((13, 34), (66, 87)):
            c.fill(box(left + x, y - 17, right + x, y + 17, 5), tone, "flat")
            c.fill(box(left + 2.4 + x, y - 8, right - 2.4 + x, y + 8, 2.4), light(tone, 0.16), "flat")
            c.line([(left + 4 + x, y - 13), (right - 4 + x, y - 13)], 1, light(tone, 0.4), 0.8)


def yogamat(c: Canvas, p: Colour) -> None:
    """A yoga mat, half rolled up."""
    c.shadow(52, 80, 40, 4)
    c.fill([(26, 66), (86, 58), (96, 76), (34, 85)], light(p, 0.14), "side")
    c.line([(34, 85), (96, 76)], 1.3, dark(p, 0.25))
    c.fill(turn(box(8, 51, 44, 85, 16), 0), dark(p, 0.06), "ball")
    for ring in (0.86, 0.68, 0.5, 0.32, 0.15):
        c.line(ellipse(25, 68, 17 * ring, 16.6 * ring), 1.2, dark(p, 0.28) if ring > 0.2 else dark(p, 0.6))
    c.line([(56, 63), (64, 81)], 0.8, light(p, 0.55), 0.7)
    c.line([(74, 60.6), (83, 78.6)], 0.8, light(p, 0.55), 0.7)


def tent(c: Canvas, p: Colour) -> None:
    """A tent with an open flap."""
    c.shadow(50, 81, 42, 4)
    c.fill([(50, 20), (92, 80), (8, 80)], p, "side")
    c.fill([(50, 20), (92, 80), (66, 80)], dark(p, 0.22), "side")
    c.fill([(50, 30), (63, 80), (35, 80)], dark(p, 0.62), "flat")
    c.fill(smooth([(50, 30), (44, 56), (30, 80), (37, 80), (46, 60)]), light(p, 0.35), "side")
    c.fill([(50, 20), (53, 24), (20, 72), (15, 70)], light(p, 0.2), "side", 0.7)
    for rope in ([(50, 20), (50, 14)], [(8, 80), (3, 86)], [(92, 80), (97, 86)]):
        c.line(rope, 0.9, dark(p, 0.4))
    c.fill([(50, 9), (60, 12), (50, 15)], hexa("f2b84b"), "none")
    c.soft(ellipse(49, 76, 8, 4), hexa("ffe2a0"), 0.8, 2.4)


def ball(c: Canvas, p: Colour) -> None:
    """A basketball."""
    c.shadow(50, 83, 24, 4)
    c.fill(ellipse(50, 50, 33, 33), p, "ball")
    seam = dark(p, 0.65)
    c.line(turn([(17.4, 50), (82.6, 50)], 24), 1.3, seam)
    c.line(turn(smooth([(50, 17.4), (46, 34), (46, 66), (50, 82.6)], closed=False), 24), 1.3, seam)
    curve = smooth([(29, 25), (38, 38), (38, 62), (29, 75)], closed=False)
    for each in (curve, mirror(curve)):
        c.line(turn(each, 24), 1.3, seam)
    c.soft(ellipse(38, 33, 9, 6), WHITE, 0.4, 3)


def bottle(c: Canvas, p: Colour) -> None:
    """A sports bottle with a straw lid."""
    c.shadow(50, 87, 15, 3)
    c.tube(smooth([(44, 17), (46, 8), (58, 8), (61, 17)], closed=False), 2.6, DARK)
    c.fill(lathe(50, [(16, 12), (20, 13), (28, 13)], curved=False, foot=2), DARK)
    c.fill(
        lathe(50, [(29, 13), (33, 15.6), (50, 15.6), (56, 14), (62, 15.6), (82, 15.6), (86, 14)], foot=2.4),
        light(p, 0.2),
    )
    c.fill(lathe(50, [(44, 15.6), (50, 15.6), (56, 14), (62, 15.6), (82, 15.6), (86, 14)], foot=2.4), p, "round", 0.85)
    for y in (48, 66, 72, 78):
        c.line([(57, y), (62, y)], 0.7, WHITE, 0.8)
    c.gleam(39, 36, 80, 1.8, 0.55)


KINDS: Final = {
    "bear": bear, "blocks": blocks, "robot": robot, "book": book, "notebook": notebook, "pen": pen,
    "dumbbell": dumbbell, "yogamat": yogamat, "tent": tent, "ball": ball, "bottle": bottle,
}  # fmt: skip
