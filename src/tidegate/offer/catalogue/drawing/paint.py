"""Colours of the drawings: the fourteen in which goods come, materials, and mixing them."""

from typing import Final

Colour = tuple[int, int, int]


def hexa(text: str) -> Colour:
    """Read `e8705f`."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def css(colour: Colour) -> str:
    """Write `#e8705f`."""
    return "#" + "".join(f"{part:02x}" for part in colour)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with `share` (0 to 1) of `other` in it."""
    r, g, b = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return r, g, b


WHITE: Final = hexa("ffffff")
INK: Final = hexa("2a2d34")
STEEL: Final = hexa("b9c1c9")
DARK: Final = hexa("3b4048")
WOOD: Final = hexa("c89b6c")
GOLD: Final = hexa("d8b26a")
CREAM: Final = hexa("f6efe2")
LEAF: Final = hexa("5f9a63")
KRAFT: Final = hexa("caa57a")
GLASS: Final = hexa("dfeaf0")
SKIN: Final = hexa("e9c39b")

PAINTS: Final[dict[str, Colour]] = {
    "coral": hexa("e8705f"),
    "teal": hexa("3e9c93"),
    "navy": hexa("3a527d"),
    "sand": hexa("d6bc95"),
    "blush": hexa("eeaeb2"),
    "mint": hexa("98cfb4"),
    "amber": hexa("ecad45"),
    "slate": hexa("7b8895"),
    "ivory": hexa("f4ecdc"),
    "plum": hexa("84507a"),
    "sky": hexa("72aede"),
    "forest": hexa("44755a"),
    "graphite": hexa("434952"),
    "terracotta": hexa("cd7048"),
}

# The pastel that sets a colour off best, chosen by eye.
_CONTRAST: Final[dict[str, Colour]] = {
    "coral": hexa("d8ebe6"),
    "teal": hexa("f7dfd0"),
    "navy": hexa("f6e2cc"),
    "sand": hexa("cfdfe3"),
    "blush": hexa("dbe7dc"),
    "mint": hexa("f8e0dc"),
    "amber": hexa("d9e3ef"),
    "slate": hexa("f3e3d3"),
    "ivory": hexa("c4d2cc"),
    "plum": hexa("f1e6c9"),
    "sky": hexa("fae6d3"),
    "forest": hexa("f5dfd6"),
    "graphite": hexa("f0dcc0"),
    "terracotta": hexa("d6e6e4"),
}


def light(colour: Colour, share: float = 0.35) -> Colour:
    """Lighter."""
    return mix(colour, WHITE, share)


def dark(colour: Colour, share: float = 0.25) -> Colour:
    """Darker, towards a blue-grey rather than black, as shadows are."""
    return mix(colour, hexa("1d2233"), share)


def backdrop(name: str, variant: int) -> tuple[Colour, Colour]:
    """Wall and motif behind goods of a colour, for each of the four variants."""
    paint, contrast = PAINTS[name], _CONTRAST[name]
    own = mix(hexa("e4d3b8") if name == "ivory" else mix(paint, WHITE, 0.76), CREAM, 0.25)
    match variant:
        case 0:
            return own, light(own, 0.4)
        case 1:
            return mix(contrast, WHITE, 0.35), mix(contrast, dark(contrast), 0.1)
        case 2:
            return contrast, light(contrast, 0.55)
        case _:
            return mix(CREAM, WHITE, 0.2) if name != "ivory" else hexa("dccdb6"), mix(own, WHITE, 0.1)
