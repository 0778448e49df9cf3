"""A small vector canvas: shapes in a square of 100 by 100, shaded as if lit from the upper left, drawn with Pillow.

Everything is drawn twice as large as its widest use and then reduced, which smooths all edges.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from tidegate.offer.catalogue.drawing.paint import WHITE, Colour, dark, light, mix

Point = tuple[float, float]
Shade = Literal["round", "flat", "ball", "none", "side"]

SIZE: Final = 1280
UNIT: Final = SIZE / 100
_SHADOW_SIZE: Final = 160
_RAMPS: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    # Position across the shape, and how light (above 0) or dark (below 0) it is there.
    "round": ((0.0, -0.16), (0.13, 0.04), (0.3, 0.24), (0.46, 0.08), (0.72, -0.08), (0.93, -0.26), (1.0, -0.18)),
    "flat": ((0.0, 0.13), (0.5, 0.0), (1.0, -0.12)),
    "side": ((0.0, 0.10), (0.4, 0.02), (1.0, -0.16)),
}


def ellipse(x: float, y: float, rx: float, ry: float, start: float = 0, end: float = 360) -> list[Point]:
    """Points of an ellipse or of an arc of it, clockwise from the right, in degrees."""
    steps = 72
    angles = (math.radians(start + (end - start) * at / steps) for at in range(steps + 1))
    return [(x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles]


def box(x0: float, y0: float, x1: float, y1: float, r: float = 0) -> list[Point]:
    """A rectangle with round corners."""
    if r <= 0:
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    corners = ((x1 - r, y0 + r, -90), (x1 - r, y1 - r, 0), (x0 + r, y1 - r, 90), (x0 + r, y0 + r, 180))
    return [point for x, y, start in corners for point in ellipse(x, y, r, r, start, start + 90)]


def smooth(points: Sequence[Point], *, closed: bool = True) -> list[Point]:
    """A soft curve through the points (Catmull-Rom)."""
    count = len(points)
    curve: list[Point] = []
    for at in range(count if closed else count - 1):
        if closed:
            a, b, c, d = (points[(at + shift) % count] for shift in (-1, 0, 1, 2))
        else:
            a, b, c, d = (points[min(max(at + shift, 0), count - 1)] for shift in (-1, 0, 1, 2))
        curve += [_between(a, b, c, d, step / 12) for step in range(12)]
    return curve if closed else [*curve, points[-1]]


def _between(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    x, y = (
        0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t**2 + (3 * q - p - 3 * r + s) * t**3)
        for p, q, r, s in zip(a, b, c, d, strict=True)
    )
    return x, y


def lathe(x: float, profile: Sequence[tuple[float, float]], *, curved: bool = True, foot: float = 0.0) -> list[Point]:
    """A turned body: `profile` gives (height, half width) from top to bottom; `foot` bends its bottom edge."""
    right: list[Point] = [(x + half, y) for y, half in profile]
    right = smooth(right, closed=False) if curved else right
    left = [(2 * x - px, py) for px, py in reversed(right)]
    y, half = profile[-1]
    bottom = ellipse(x, y, half, foot, 0, 180) if foot else []
    return [*right, *bottom, *left]


def turn(points: Sequence[Point], degrees: float, x: float = 50, y: float = 50) -> list[Point]:
    """The points turned clockwise around (x, y)."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return [(x + (px - x) * cos - (py - y) * sin, y + (px - x) * sin + (py - y) * cos) for px, py in points]


def mirror(points: Sequence[Point], x: float = 50) -> list[Point]:
    """The points mirrored left to right around x."""
    return [(2 * x - px, py) for px, py in points]


class Canvas:
    """The picture being drawn."""

    def __init__(self, wall: Colour, motif: Colour, variant: int) -> None:
        self.image = _studio(wall, motif, variant).copy()

    def shadow(self, x: float, y: float, rx: float, ry: float, strength: float = 0.34) -> None:
        """The soft shadow of something that stands on the floor, and the thin dark line where it touches."""
        small = Image.new("L", (_SHADOW_SIZE, _SHADOW_SIZE))
        draw, unit = ImageDraw.Draw(small), _SHADOW_SIZE / 100
        wide = [((px + 4) * unit, (py + 0.5) * unit) for px, py in ellipse(x, y, rx * 1.12, ry * 1.3)]
        draw.polygon(wide, fill=round(255 * strength * 0.75))
        soft = small.filter(ImageFilter.GaussianBlur(4.2))
        draw.rectangle((0, 0, _SHADOW_SIZE, _SHADOW_SIZE), fill=0)
        draw.polygon(
            [(px * unit, py * unit) for px, py in ellipse(x, y, rx * 0.97, ry * 0.7)], fill=round(255 * strength)
        )
        mask = ImageChops.lighter(soft, small.filter(ImageFilter.GaussianBlur(1.3)))
        cut = mask.getbbox()
        if cut is None:
            return
        scale = SIZE // _SHADOW_SIZE
        left, top, right, bottom = cut
        grown = mask.crop(cut).resize(((right - left) * scale, (bottom - top) * scale), Image.Resampling.BICUBIC)
        self.image.paste(dark(self.floor, 0.8), (left * scale, top * scale), grown)

    @property
    def floor(self) -> Colour:
        """The colour of the floor."""
        return self.image.getpixel((SIZE // 2, SIZE - 40))  # type: ignore[return-value]

    def fill(self, points: Sequence[Point], colour: Colour, shade: Shade = "round", alpha: float = 1.0) -> None:
        """Fill a shape, shaded across (`round`, `side`), downwards (`flat`), as a sphere (`ball`) or not at all."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        left, top = math.floor(min(xs) * UNIT), math.floor(min(ys) * UNIT)
        width, height = math.ceil(max(xs) * UNIT) - left + 1, math.ceil(max(ys) * UNIT) - top + 1
        mask = Image.new("L", (width, height))
        ImageDraw.Draw(mask).polygon([(x * UNIT - left, y * UNIT - top) for x, y in points], fill=round(255 * alpha))
        self._paste(colour, shade, mask, left, top)

    def line(self, points: Sequence[Point], width: float, colour: Colour, alpha: float = 1.0) -> None:
        """A line with round ends."""
        mask, left, top = _line_mask(points, width, alpha)
        self._paste(colour, "none", mask, left, top)

    def tube(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A line with volume: dark below, light above."""
        self.line(points, width, dark(colour, 0.18))
        self.line([(x - width * 0.06, y - width * 0.08) for x, y in points], width * 0.74, colour)
        self.line([(x - width * 0.15, y - width * 0.17) for x, y in points], width * 0.22, light(colour, 0.4))

    def soft(self, points: Sequence[Point], colour: Colour = WHITE, alpha: float = 0.35, blur: float = 1.0) -> None:
        """A blurred patch: a gleam in white, a shade in a dark colour."""
        pad = blur * 3
        xs, ys = [x for x, _ in points], [y for _, y in points]
        left, top = math.floor((min(xs) - pad) * UNIT), math.floor((min(ys) - pad) * UNIT)
        width, height = math.ceil((max(xs) + pad) * UNIT) - left, math.ceil((max(ys) + pad) * UNIT) - top
        scale = 8
        mask = Image.new("L", (max(2, width // scale), max(2, height // scale)))
        shape = [((x * UNIT - left) / scale, (y * UNIT - top) / scale) for x, y in points]
        ImageDraw.Draw(mask).polygon(shape, fill=round(255 * alpha))
        mask = mask.filter(ImageFilter.GaussianBlur(blur * UNIT / scale)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        self._paste(colour, "none", mask, left, top)

    def gleam(self, x: float, y0: float, y1: float, width: float = 1.6, alpha: float = 0.4) -> None:
        """The upright reflection of a window on something smooth."""
        self.soft(box(x, y0, x + width, y1, width / 2), WHITE, alpha, 0.45)

    def rim(self, x: float, y: float, rx: float, ry: float, colour: Colour, inside: Colour) -> None:
        """The open mouth of a vessel."""
        self.fill(ellipse(x, y, rx, ry), light(colour, 0.25), "side")
        self.fill(ellipse(x, y + ry * 0.14, rx * 0.9, ry * 0.8), inside, "flat")

    def body(
        self,
        x: float,
        profile: Sequence[tuple[float, float]],
        colour: Colour,
        *,
        curved: bool = True,
        foot: float = 2.0,
    ) -> None:
        """A turned body with its shadow on the floor."""
        y, half = profile[-1]
        self.shadow(x, y + foot * 0.3, half, max(2.4, foot))
        self.fill(lathe(x, profile, curved=curved, foot=foot), colour)

    def label(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, mark: Colour) -> None:
        """A paper label with a sign and two lines that stand for writing."""
        self.fill(box(x0, y0, x1, y1, 1), colour, "round")
        x, width, height = (x0 + x1) / 2, x1 - x0, y1 - y0
        self.fill(ellipse(x, y0 + height * 0.36, width * 0.15, width * 0.15), mark, "none")
        self.line([(x - width * 0.26, y0 + height * 0.68), (x + width * 0.26, y0 + height * 0.68)], 0.9, mark)
        self.line([(x - width * 0.16, y0 + height * 0.82), (x + width * 0.16, y0 + height * 0.82)], 0.6, mark, 0.6)

    def _paste(self, colour: Colour, shade: Shade, mask: Image.Image, left: int, top: int) -> None:
        paint = colour if shade == "none" else _shaded(colour, shade, *mask.size)
        self.image.paste(paint, (left, top, left + mask.width, top + mask.height), mask)


def _line_mask(points: Sequence[Point], width: float, alpha: float) -> tuple[Image.Image, int, int]:
    pad = width
    left = math.floor((min(x for x, _ in points) - pad) * UNIT)
    top = math.floor((min(y for _, y in points) - pad) * UNIT)
    right = math.ceil((max(x for x, _ in points) + pad) * UNIT)
    bottom = math.ceil((max(y for _, y in points) + pad) * UNIT)
    mask = Image.new("L", (right - left, bottom - top))
    draw, shade, radius = ImageDraw.Draw(mask), round(255 * alpha), width * UNIT / 2
    path = [(x * UNIT - left, y * UNIT - top) for x, y in points]
    draw.line(path, fill=shade, width=max(1, round(radius * 2)), joint="curve")
    for x, y in (path[0], path[-1]):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shade)
    return mask, left, top


def _shaded(colour: Colour, shade: Shade, width: int, height: int) -> Image.Image:
    match shade:
        case "ball":
            return _ball(colour, width, height)
        case "flat":
            return (
                _ramp(colour, shade)
                .transpose(Image.Transpose.ROTATE_270)
                .resize((width, height), Image.Resampling.BILINEAR)
            )
        case _:
            return _ramp(colour, shade).resize((width, height), Image.Resampling.BILINEAR)


def _ramp(colour: Colour, shade: str) -> Image.Image:
    strip = Image.new("RGB", (64, 1))
    strip.putdata([_toned(colour, _level(_RAMPS[shade], at / 63)) for at in range(64)])
    return strip


def _toned(colour: Colour, level: float) -> Colour:
    return light(colour, level) if level >= 0 else dark(colour, -level)


def _level(stops: Sequence[tuple[float, float]], at: float) -> float:
    for (x0, y0), (x1, y1) in pairwise(stops):
        if at <= x1:
            return y0 + (y1 - y0) * (at - x0) / (x1 - x0)
    return stops[-1][1]


def _ball(colour: Colour, width: int, height: int) -> Image.Image:
    """A sphere: the brightest point up on the left, darkest towards the lower right."""
    cut = Image.radial_gradient("L").crop((64, 64, 226, 226))
    tones = ImageOps.colorize(cut, light(colour, 0.34), dark(colour, 0.42), mid=colour, midpoint=105)
    return tones.resize((width, height), Image.Resampling.BILINEAR)


@lru_cache(maxsize=2)
def _studio(wall: Colour, motif: Colour, variant: int) -> Image.Image:
    """The backdrop: a wall that brightens to the upper left, a paper floor, and one calm shape behind the goods."""
    low = 160
    image = Image.new("RGB", (low, low))
    ramp = Image.linear_gradient("L").resize((low, low))
    image.paste(ImageOps.colorize(ramp, light(wall, 0.22), mix(wall, dark(wall), 0.1)))
    glow = ImageOps.invert(Image.radial_gradient("L")).resize((low * 2, low * 2)).crop((80, 60, 80 + low, 60 + low))
    image.paste(light(wall, 0.5), mask=glow.point([round(level * 0.4) for level in range(256)]))
    image = image.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    canvas = ImageDraw.Draw(image)
    if variant in (1, 3):
        canvas.ellipse([part * UNIT for part in (16, 12, 84, 80)], fill=motif)
    if variant == 2:
        canvas.rounded_rectangle([part * UNIT for part in (20, 12, 80, 110)], radius=30 * UNIT, fill=motif)
    floor = Image.linear_gradient("L").resize((SIZE, round(30 * UNIT)))
    tone = light(wall, 0.42)
    mask = floor.point([round(60 + level * 0.6) for level in range(256)])
    image.paste(tone, (0, round(74 * UNIT)), mask.crop((0, 0, SIZE, SIZE - round(74 * UNIT))))
    return image
