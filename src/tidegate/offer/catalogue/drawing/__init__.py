"""Pictures of goods, drawn by this code: a kind of product, in a colour, before one of four backdrops.

`render` is deterministic: the same kind, colour and variant give the same bytes, on one version of Pillow.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Final

from PIL import Image

from tidegate.offer.catalogue.drawing import care, digital, electric, food, home, kitchen, leisure, wear
from tidegate.offer.catalogue.drawing.canvas import SIZE, Canvas
from tidegate.offer.catalogue.drawing.paint import PAINTS, Colour, backdrop, css, light, mix

Drawing = Callable[[Canvas, Colour], None]

KINDS: Final[dict[str, Drawing]] = {
    **kitchen.KINDS,
    **home.KINDS,
    **electric.KINDS,
    **digital.KINDS,
    **wear.KINDS,
    **care.KINDS,
    **food.KINDS,
    **leisure.KINDS,
}

# WebP, for AVIF saves a sixth of the bytes at five times the work: a keyboard 640 wide was 9.1 KB in 10 ms as WebP,
# 7.5 KB in 57 ms as AVIF (quality 62, speed 8), and a festival has three thousand such files to draw.
_QUALITY: Final = 82


def background(colour: str, variant: int) -> str:
    """The CSS colour that a picture of this colour and variant mostly has: its placeholder."""
    wall, motif = backdrop(colour, variant)
    return css(mix(light(wall, 0.1), motif, 0.35))


def draw(kind: str, colour: str, variant: int) -> Image.Image:
    """The picture at the size of the canvas."""
    wall, motif = backdrop(colour, variant)
    canvas = Canvas(wall, motif, variant)
    KINDS[kind](canvas, PAINTS[colour])
    return canvas.image


def render(kind: str, colour: str, variant: int, widths: Iterable[int]) -> dict[int, bytes]:
    """The picture as WebP in each of these widths, which divide the size of the canvas."""
    image = draw(kind, colour, variant)
    made: dict[int, bytes] = {}
    for width in sorted(widths, reverse=True):
        image = image.reduce(image.width // width)
        made[width] = _webp(image)
    return made


def _webp(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", quality=_QUALITY, method=2)
    return file.getvalue()


assert SIZE % 640 == 0, "widths are made by whole-number reduction"
