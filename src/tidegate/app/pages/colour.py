"""A campaign's accent colour, made readable: the manager names one colour, every text on or in it meets WCAG 2.2 AA.

Contrast and relative luminance are those of WCAG 2.2 (definitions "contrast ratio" and "relative luminance").
"""

import re
from functools import lru_cache

import msgspec

TEXT_CONTRAST_MIN = 4.5
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_WHITE = (255, 255, 255)
_LIGHT_GROUND = (245, 246, 248)
_DARK_RAISED = (23, 28, 34)
_BLACK = (0, 0, 0)

Rgb = tuple[int, int, int]


class Accent(msgspec.Struct, frozen=True):
    """The accent tokens of one colour scheme, as CSS colours; `deep` is the fill moved away from `on`."""

    fill: str
    on: str
    ink: str
    soft: str
    deep: str


@lru_cache(maxsize=64)
def accent_css(colour: str) -> str:
    """Return CSS that sets the accent tokens for light and dark. A colour that is not `#rrggbb` gives no CSS."""
    if not _HEX.fullmatch(colour):
        return ""
    light, dark = light_accent(colour), dark_accent(colour)
    return (
        f":root{{{_tokens(light)}}}"
        f'@media (prefers-color-scheme:dark){{:root:not([data-theme="light"]){{{_tokens(dark)}}}}}'
        f':root[data-theme="dark"]{{{_tokens(dark)}}}'
    )


def light_accent(colour: str) -> Accent:
    """Return the accent for light ground: the fill as given, its ink darkened until it reads on page and tint."""
    fill = _parse(colour)
    soft = _mix(fill, _WHITE, 0.90)
    ink = _until_readable(fill, towards=(0, 0, 0), grounds=(_LIGHT_GROUND, soft))
    return Accent(_css(fill), _css(_on(fill)), _css(ink), _css(soft), _css(_deep(fill)))


def dark_accent(colour: str) -> Accent:
    """Return the accent for dark ground: the same fill, its ink lightened until it reads on cards and its tint."""
    fill = _parse(colour)
    soft = _mix(fill, _DARK_RAISED, 0.82)
    ink = _until_readable(fill, towards=_WHITE, grounds=(_DARK_RAISED, soft))
    return Accent(_css(fill), _css(_on(fill)), _css(ink), _css(soft), _css(_deep(fill)))


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast ratio of two colours, between 1 and 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _tokens(accent: Accent) -> str:
    return (
        f"--accent:{accent.fill};--accent-on:{accent.on};--accent-ink:{accent.ink};"
        f"--accent-soft:{accent.soft};"
        f"--accent-deep:{accent.deep}"
    )


def _on(fill: Rgb) -> Rgb:
    """White where it reads, else black: one of the two reads on every colour, for 4.5 squared is less than 21."""
    return _WHITE if contrast(fill, _WHITE) >= TEXT_CONTRAST_MIN else _BLACK


def _deep(fill: Rgb) -> Rgb:
    return _mix(fill, (0, 0, 0) if _on(fill) == _WHITE else _WHITE, 0.35)


def _until_readable(colour: Rgb, *, towards: Rgb, grounds: tuple[Rgb, ...]) -> Rgb:
    for step in range(21):
        mixed = _mix(colour, towards, step / 20)
        if min(contrast(mixed, ground) for ground in grounds) >= TEXT_CONTRAST_MIN:
            return mixed
    return towards


def _mix(one: Rgb, other: Rgb, part: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return (red, green, blue)


def _luminance(colour: Rgb) -> float:
    red, green, blue = (part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parse(colour: str) -> Rgb:
    return (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))


def _css(colour: Rgb) -> str:
    red, green, blue = colour
    return f"#{red:02x}{green:02x}{blue:02x}"
