"""The door to the kernel: the compiled rules as figures for it, and its answers as figures.

What the kernel decides, and how, stands in `native/kernel.h`. It is C because a cart of ten lines is to be priced in 50
microseconds, and to weigh the combinations alone took Python longer than that; `make setup` compiles it.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ctypes import PyDLL, Structure, addressof, c_char_p, c_int64, c_void_p, py_object
from enum import IntEnum
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tidegate.offer.campaign.contracts import Words
from tidegate.offer.pricing.contracts import (
    LINES_MAX,
    Borne,
    GivenGift,
    OfferRule,
    PricedLine,
    PriceStep,
    Reduction,
    Share,
    StepKind,
)
from tidegate.offer.pricing.words import LIST_PRICE

WORK_MAX = 3_000
"""Lines looked at in one search for the best combination."""
SEARCHED_MAX = 40
"""More candidates than that are not searched: each takes what is free, the one that can take most off first."""
MASKS_MAX = 256
_NO_RULE = -1
_WORD = 8
_PATH = Path(__file__).parent / "native" / "kernel.so"


def _load() -> PyDLL:
    """Load the library, and with the lock held: a call is shorter than letting it go."""
    if not _PATH.exists():
        raise ImportError(f"{_PATH} is missing: the pricing kernel is not compiled yet. Run `make setup`.")
    library = PyDLL(str(_PATH))
    for call in (library.tidegate_match, library.tidegate_settle):
        call.argtypes = [c_void_p, c_void_p]
        call.restype = py_object
    return library


_LIBRARY = _load()


class Row(NamedTuple):
    """The lines that a rule counts, and what it takes off them before anything else does; of a gift, units given."""

    bit: int
    off: int
    places: bytes


class Decided(msgspec.Struct, frozen=True, gc=False):
    """What the kernel decided about a cart, as `write.c` writes it down. Rules are named by their bits."""

    regret: int
    fee: int
    freed_by: int
    """Which rule made shipping free; -1: none."""
    goods_total: int
    paid: int
    points_used: int
    lines: tuple[PricedLine, ...]
    steps: tuple[PriceStep, ...]
    reductions: tuple[Reduction, ...]
    """Of goods, in the order in which they apply, then what points pay."""
    gifts: tuple[GivenGift, ...]
    priced_by: tuple[tuple[int, int], ...]
    """Each line at the price of a rule, and the rule."""
    limited: tuple[tuple[int, int, int], ...]
    """The rules with counters that apply: money that each takes off, units that it is a price for."""
    concerned: tuple[tuple[int, int], ...]
    """Those that could apply, with the most that each would take off."""
    applied: tuple[tuple[int, bytes], ...]
    """The rules that take something off goods or give gifts, with their lines."""
    text: bytes
    """What made the price, for the hash of the trace."""


class _Book(Structure):
    """`Book` of kernel.h."""

    _fields_ = (
        ("rule_count", c_int64),
        ("words", c_int64),
        ("rules", c_void_p),
        ("products", c_void_p),
        ("figures", c_void_p),
        ("masks", c_void_p),
        ("names", c_char_p),
        ("name_at", c_void_p),
        ("shop_names", c_int64),
        ("bearer_names", c_int64),
        ("words_of", c_void_p),
        ("objects", c_void_p),
        ("rule_kinds", c_void_p),
        ("rule_labels", c_void_p),
        ("offer_labels", c_void_p),
    )


class Kind(IntEnum):
    """How a benefit is reckoned, as kernel.h numbers it."""

    PLAIN = 0
    AMOUNT = 1
    PERCENT = 2
    PIECE = 3
    BUNDLE = 4
    GIFT = 5
    REACH = 6
    PAY = 7


class Figures(NamedTuple):
    """A benefit as figures; `Rule` of kernel.h says what each of them is."""

    kind: Kind = Kind.PLAIN
    by_pieces: bool = False
    every: bool = False
    cap: int = 0
    times_max: int = 0
    group: int = 1
    cheap: int = 0
    off: int = 0
    price: int = 1
    steps: tuple[tuple[int, ...], ...] = ()
    """Steps, each with what it takes off, or the parts of a bundle."""


class RuleFigures(NamedTuple):
    """A rule as figures: its bit is its place among the rules. `foes` and `kept_from` are masks of other rules."""

    stage: int
    benefit: Figures
    gift: tuple[str, int] | None
    """The SKU that is given, and the value of one unit."""
    foes: int
    kept_from: int
    group: str
    counted: bool
    prices: Mapping[str, int]
    name: str
    kind: StepKind
    label: Words
    bearers: Sequence[tuple[str, int]]


class Product(NamedTuple):
    """What the kernel knows of a SKU: floor of one unit, shop, masks of the rules that concern it, offer."""

    floor: int
    shop: str
    rules: int
    prices: int
    offer: OfferRule | None


class Kernel:
    """The rules of a book as the kernel reads them."""

    def __init__(
        self,
        rules: Sequence[RuleFigures],
        products: Mapping[str, Product],
        shipping: PriceStep,
        free_shipping: PriceStep,
        free_from: int | None,
    ) -> None:
        self._bytes = _WORD * max(-(-len(rules) // (8 * _WORD)), 1)
        self._masks: dict[int, tuple[array[int], int]] = {}
        self._figures = array("q")
        self._lists: dict[tuple[int, ...], int] = {}
        self._rows: dict[int, int] = {}
        self.number = {sku: number for number, sku in enumerate(sorted(products))}
        """The place of each SKU among the products, which stand in the order of their SKUs as lines do."""
        shop_names = sorted({product.shop for product in products.values()})
        bearer_names = list(dict.fromkeys(["shop", *(name for rule in rules for name, _ in rule.bearers)]))
        names = [*(rule.name for rule in rules), *self.number, *shop_names, *bearer_names]
        encoded = [name.encode() for name in names]
        packed = self._packed_rules(rules, bearer_names), self._packed_products(rules, products, shop_names)
        rows = array("Q", b"".join(row.to_bytes(self._bytes, "little") for row in self._rows))
        name_at = array("q", accumulate(map(len, encoded), initial=0))
        offers = [products[sku].offer for sku in self.number]
        # Whatever the kernel has the address of is kept here.
        types = Decided, PricedLine, Share, Reduction, Borne, GivenGift, PriceStep
        self._objects = (
            (*types, StepKind.LIST_PRICE, StepKind.OFFER, "list", LIST_PRICE, shipping, free_shipping),
            names,
            [rule.kind for rule in rules],
            [rule.label for rule in rules],
            [offer.label if offer else None for offer in offers],
        )
        addresses = [array("q", map(id, each)) for each in self._objects]
        self._terms = shipping.amount, _NO_RULE if free_from is None else free_from
        first_shop = len(rules) + len(products)
        self._book = _Book(
            len(rules),
            self._bytes // _WORD,
            *(each.buffer_info()[0] for each in (*packed, self._figures, rows)),
            b"".join(encoded),
            name_at.buffer_info()[0],
            first_shop,
            first_shop + len(shop_names),
            *(each.buffer_info()[0] for each in addresses),
        )
        self._address = addressof(self._book)
        self._kept = (*packed, rows, name_at, *addresses)

    def _packed_rules(self, rules: Sequence[RuleFigures], bearer_names: Sequence[str]) -> "array[int]":
        packed = array("q")
        exclusions: dict[str, int] = {"": 0}
        bearers = {name: number for number, name in enumerate(bearer_names)}
        for name, rule in enumerate(rules):
            steps = rule.benefit.steps
            sku, value = rule.gift or (None, 0)
            packed.extend((rule.stage, *rule.benefit[:-1], value, self.number[sku] if sku else 0, len(steps)))
            packed.append(self._listed(figure for step in steps for figure in step))
            packed.extend((self._row(rule.foes), self._row(rule.kept_from)))
            packed.extend((exclusions.setdefault(rule.group, len(exclusions)), rule.counted, name, len(rule.bearers)))
            packed.append(self._listed(figure for each, share in rule.bearers for figure in (bearers[each], share)))
        return packed

    def _packed_products(
        self, rules: Sequence[RuleFigures], products: Mapping[str, Product], shop_names: Sequence[str]
    ) -> "array[int]":
        packed = array("q")
        by_mask: dict[int, int] = {}
        shops = {shop: number for number, shop in enumerate(shop_names)}
        for name, sku in enumerate(self.number, len(rules)):
            product = products[sku]
            at = by_mask.get(product.rules)
            if at is None:
                at = by_mask[product.rules] = self._listed((*bits_of(product.rules), _NO_RULE))
            packed.extend((product.floor, at, self._prices(rules, sku, product.prices), name, shops[product.shop]))
            offer = product.offer
            packed.extend((offer.unit_price, offer.list_price) if offer else (0, 0))
        return packed

    def _row(self, mask: int) -> int:
        """The number of a row of rules; rows that are equal are one."""
        return self._rows.setdefault(mask, len(self._rows)) if mask else _NO_RULE

    def _listed(self, figures: Iterable[int]) -> int:
        """Where such a list of figures stands; lists that are equal are one."""
        key = tuple(figures)
        at = self._lists.get(key)
        if at is None:
            at = self._lists[key] = len(self._figures)
            self._figures.extend(key)
        return at

    def _prices(self, rules: Sequence[RuleFigures], sku: str, mask: int) -> int:
        if not mask:
            return _NO_RULE
        listed = sorted((rules[bit].prices[sku], bit) for bit in bits_of(mask))
        return self._listed((*(figure for each in listed for figure in each), _NO_RULE))

    def settle(self, mask: int, barred: int, lines: Sequence[int], points: int) -> Decided:
        """What applies to these lines (product and units of each) of the rules of the mask that are not barred."""
        decided: Decided = self._call(_LIBRARY.tidegate_settle, mask, barred, lines, points)
        return decided

    def match(self, mask: int, barred: int, lines: Sequence[int]) -> list[Row]:
        """The lines that each rule of the mask counts; a barred price of its own is nobody's."""
        return [Row(*row) for row in self._call(_LIBRARY.tidegate_match, mask, barred, lines, 0)]

    def _call(self, call: Callable[..., Any], mask: int, barred: int, lines: Sequence[int], points: int) -> Any:
        assert 0 < len(lines) <= 2 * LINES_MAX, "the kernel has room for so many lines"
        allowed, used_up = self._words_of(mask), self._words_of(barred)
        terms = *self._terms, points, WORK_MAX, SEARCHED_MAX
        asked = array("q", (allowed[1], used_up[1], *terms, len(lines) // 2, *lines))
        return call(self._address, asked.buffer_info()[0])

    def _words_of(self, mask: int) -> tuple["array[int]", int]:
        """A mask as the words of the kernel, and where they stand."""
        known = self._masks.get(mask)
        if known is None:
            if len(self._masks) >= MASKS_MAX:
                self._masks.clear()
            words = array("Q", mask.to_bytes(self._bytes, "little"))
            known = self._masks[mask] = words, words.buffer_info()[0]
        return known


def bits_of(mask: int) -> Iterator[int]:
    """The places of the bits of a mask, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
