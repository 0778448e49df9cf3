"""The cart: goods and how many of each, kept by the browser in one plain cookie, for guests and shoppers alike.

It names nobody and holds no price, so it needs no seal: whoever changes it has merely chosen other goods. It is
bounded, and read strictly: what was not written by `write` is no cart. The page's script may read it, for its count.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec
from litestar.datastructures import Cookie

from tidegate.offer.pricing.contracts import QUANTITY_MAX, CartLine

COOKIE = "tg_cart"
COOKIE_SECONDS = 30 * 86_400
LINES_MAX = 30
TEXT_MAX = LINES_MAX * len("~" + "s" * 64 + ":9999")
"""With its name it stays well below the 4096 bytes that browsers keep of one cookie."""
_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63}):([1-9][0-9]{0,3})")


class Kept(msgspec.Struct, frozen=True):
    """What the browser keeps. `unreadable`: there was something, and it is no cart."""

    lines: tuple[CartLine, ...] = ()
    unreadable: bool = False

    @property
    def units(self) -> int:
        """How many units are in it, all goods together."""
        return sum(line.quantity for line in self.lines)


def read(text: str | None) -> Kept:
    """Return what `text` says; nothing, and that it is unreadable, where it is not as `write` writes it."""
    if not text:
        return Kept()
    if len(text) > TEXT_MAX:
        return Kept(unreadable=True)
    found = [_LINE.fullmatch(part) for part in text.split("~")]
    lines = tuple(CartLine(each[1], int(each[2])) for each in found if each)
    is_whole = len(lines) == len(found) <= LINES_MAX and len({line.sku for line in lines}) == len(lines)
    return Kept(lines) if is_whole else Kept(unreadable=True)


def write(lines: Iterable[CartLine]) -> str:
    """Return lines as one short text, which `read` reads."""
    return "~".join(f"{line.sku}:{line.quantity}" for line in lines)


def cookie(lines: Sequence[CartLine], *, secure: bool) -> Cookie:
    """Return the cookie that keeps lines for thirty days, or that forgets an empty cart. Other sites never send it."""
    seconds = COOKIE_SECONDS if lines else 0
    return Cookie(key=COOKIE, value=write(lines), path="/", max_age=seconds, samesite="lax", secure=secure)


def with_more(lines: Sequence[CartLine], more: Iterable[CartLine]) -> tuple[CartLine, ...] | None:
    """Return lines with more units; new goods come last. None where the cart would have too many lines."""
    units = {line.sku: line.quantity for line in lines}
    for line in more:
        units[line.sku] = min(QUANTITY_MAX, units.get(line.sku, 0) + line.quantity)
    return _lines(units) if len(units) <= LINES_MAX else None


def with_quantity(lines: Sequence[CartLine], sku: str, quantity: int) -> tuple[CartLine, ...]:
    """Return lines with another quantity of one of them, which 0 removes; goods that are not in them stay out."""
    return _lines({line.sku: quantity if line.sku == sku else line.quantity for line in lines})


def without(lines: Sequence[CartLine], ordered: Iterable[CartLine]) -> tuple[CartLine, ...]:
    """Return what is left of lines after an order: what was put in meanwhile stays."""
    taken = {line.sku: line.quantity for line in ordered}
    return _lines({line.sku: line.quantity - taken.get(line.sku, 0) for line in lines})


def _lines(units: dict[str, int]) -> tuple[CartLine, ...]:
    return tuple(CartLine(sku, quantity) for sku, quantity in units.items() if quantity > 0)
