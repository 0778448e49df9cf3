"""The search for the lowest price: which carts are worth trying, and what each product costs in the worst of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import nsmallest
from typing import Final

import msgspec

from tidegate.base.errors import Refusal
from tidegate.offer.campaign.api import ReachedPrice, Way
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Bundle,
    CampaignDefinition,
    Earning,
    FlashPrice,
    Gift,
    GoodsEntry,
    Measure,
    NForM,
    NthPiece,
    Offer,
    PercentOff,
    PointsOff,
    Promotion,
    Selection,
    Words,
)
from tidegate.offer.pricing.contracts import LINES_MAX, QUANTITY_MAX, CartLine, PricedOrder
from tidegate.offer.reach.worth import Worth

CARTS_MAX: Final = 60
"""Carts tried for one product, in the order in which they are likely to be the worst."""
FILLERS_MAX: Final = 64
MIXED_MAX: Final = 4
"""Units of the product that are mixed with fillers, besides as many as stay under the threshold."""
FITS_MAX: Final = 4
"""Fillers tried for one threshold."""
REPEATED: Final = (1, 2, 3)
"""How many times what comes again and again is reached in the carts that are tried."""
BEST_MAX: Final = 3
"""Carts that are tried in every situation."""

Lines = tuple[tuple[str, int], ...]


class Situation(msgspec.Struct, frozen=True):
    """The engine for one buyer at one moment: it raises a Refusal for a cart that cannot be ordered.

    `tell` says of an order who gets it, and when, where not always.
    """

    price: Callable[[tuple[CartLine, ...]], PricedOrder]
    tell: Callable[[PricedOrder], tuple[Words, datetime | None]]


class Engine(msgspec.Struct, frozen=True):
    """The engine in the situations in which every cart is tried, and in those in which only the best are."""

    likely: tuple[Situation, ...]
    further: tuple[Situation, ...] = ()


class Lever(msgspec.Struct, frozen=True):
    """What begins to lower prices of `skus` (None: of all) at these amounts and numbers of pieces together."""

    skus: frozenset[str] | None
    amounts: tuple[int, ...] = ()
    pieces: tuple[int, ...] = ()
    bundle: Lines = ()

    def moves(self, sku: str) -> bool:
        """Whether a unit of this SKU counts."""
        return self.skus is None or sku in self.skus


def levers_of(definition: CampaignDefinition) -> list[Lever]:
    """All levers of a definition."""
    with_coupons = frozenset(offer.sku for offer in definition.offers if offer.coupons)
    levers = [Lever(with_coupons, amounts=(coupon.threshold,)) for coupon in definition.coupons]
    levers += [_lever(promotion, definition.goods) for promotion in definition.promotions]
    return levers + ([Lever(None, amounts=earning_steps(definition.earning))] if definition.earning else [])


def earning_steps(earning: Earning) -> tuple[int, ...]:
    """The amounts from which an order earns its first points, the next ones, and its last where there is a cap."""
    steps = {earning.paid * times for times in REPEATED}
    if earning.per_order:
        most = -(-earning.per_order // earning.points) * earning.paid
        steps = {step for step in steps if step < most} | {most}
    return tuple(sorted(steps))


def _lever(promotion: Promotion, goods: Iterable[GoodsEntry]) -> Lever:
    skus = _selected(Selection(skus=_own_skus(promotion)) if _own_skus(promotion) else promotion.goods, goods)
    match promotion.benefit:
        case AmountOff(steps=steps, measure=measure) | PercentOff(steps=steps, measure=measure):
            reaches = tuple(max(step.reach, 1) for step in steps)
            return Lever(skus, amounts=reaches) if measure is Measure.AMOUNT else Lever(skus, pieces=reaches)
        case NForM(take=pieces) | NthPiece(nth=pieces):
            return Lever(skus, pieces=(pieces, 2 * pieces))
        case Bundle(parts=parts):
            bundle = tuple((part.sku, part.quantity) for part in parts)
            return Lever(frozenset(sku for sku, _ in bundle), bundle=bundle)
        case Gift(reach=reach, measure=measure, every=every):
            reaches = tuple(max(reach, 1) * times for times in (REPEATED if every else (1,)))
            return Lever(skus, amounts=reaches) if measure is Measure.AMOUNT else Lever(skus, pieces=reaches)
        case PointsOff() | FlashPrice():
            return Lever(skus, pieces=(1,))
        case _:
            return Lever(skus)


def _own_skus(promotion: Promotion) -> tuple[str, ...]:
    """The goods that a flash price names itself."""
    return (promotion.benefit.sku,) if isinstance(promotion.benefit, FlashPrice) else ()


def _selected(selection: Selection, goods: Iterable[GoodsEntry]) -> frozenset[str] | None:
    if selection == Selection():
        return None
    anything = not (selection.skus or selection.categories or selection.brands or selection.shops)
    return frozenset(
        entry.sku
        for entry in goods
        if entry.sku not in selection.but
        and (
            anything
            or entry.sku in selection.skus
            or entry.category in selection.categories
            or entry.brand in selection.brands
            or entry.shop in selection.shops
        )
    )


class Shelf:
    """What can be bought, and how many of it one buyer may have in one order."""

    def __init__(self, definition: CampaignDefinition) -> None:
        self.offers: Mapping[str, Offer] = {offer.sku: offer for offer in definition.offers}
        self.levers = levers_of(definition)
        self.worth = Worth(definition)
        self._most = {offer.sku: _most(offer, definition) for offer in definition.offers}
        self._flash = _flash_prices(definition)
        self._fillers: dict[frozenset[str] | None, list[str]] = {}

    def most(self, sku: str) -> int:
        """How many units of it an order may hold."""
        return self._most[sku]

    def prices(self, sku: str) -> list[tuple[int, int]]:
        """What a unit of it costs before promotions, and how many an order may hold at that: its offer's price, and
        that of its slots.
        """
        return [(self.offers[sku].price, self.most(sku)), *self._flash.get(sku, ())]

    def fillers(self, lever: Lever) -> list[str]:
        """SKUs that bring a cart to a lever's threshold: one of each price, cheapest first, thinned evenly."""
        if lever.skus not in self._fillers:
            by_price = {offer.price: sku for sku, offer in self.offers.items() if lever.moves(sku)}
            ordered = [by_price[price] for price in sorted(by_price)]
            step = max(1, -(-len(ordered) // FILLERS_MAX))
            kept = ordered[::step]
            self._fillers[lever.skus] = kept if not ordered or ordered[-1] in kept else [*kept, ordered[-1]]
        return self._fillers[lever.skus]


def _flash_prices(definition: CampaignDefinition) -> dict[str, set[tuple[int, int]]]:
    """The flash prices of each SKU, each with the most units that have it in one order."""
    quotas = definition.quotas()
    found: dict[str, set[tuple[int, int]]] = {}
    for promotion in definition.promotions:
        if isinstance(promotion.benefit, FlashPrice):
            benefit = promotion.benefit
            carried = sum(slot.units for slot in benefit.slots) if benefit.carry_over else 0
            for slot in benefit.slots:
                units = slot.per_account or max(slot.units, carried)
                found.setdefault(benefit.sku, set()).add((benefit.price, min(units, quotas.get(benefit.sku, units))))
    return found


def _most(offer: Offer, definition: CampaignDefinition) -> int:
    limits = [each.per_buyer for each in definition.limits if not each.skus or offer.sku in each.skus]
    return min([QUANTITY_MAX, offer.quota, offer.per_buyer or QUANTITY_MAX, *limits])


def carts(shelf: Shelf, sku: str) -> Iterator[Lines]:
    """Carts in which a unit of `sku` may be cheapest, likely ones first; a cart may come twice."""
    levers = [lever for lever in shelf.levers if lever.moves(sku)]
    prices = shelf.prices(sku)
    for lever in levers:
        if lever.bundle and all(part in shelf.offers for part, _ in lever.bundle):
            yield lever.bundle
        for amount in sorted(lever.amounts, reverse=True):
            for price, most in reversed(prices):
                yield from _just_over(shelf, lever, sku, amount, price, most)
        for pieces in lever.pieces:
            yield from _pieces(shelf, lever, sku, pieces)
    for price, most in prices:
        for quantity in sorted({1, 2, most} | {-(-amount // price) for lever in levers for amount in lever.amounts}):
            if 1 <= quantity <= most:
                yield ((sku, quantity),)


def _just_over(shelf: Shelf, lever: Lever, sku: str, amount: int, price: int, most: int) -> Iterator[Lines]:
    """The product alone just over an amount, and a few of it, at most `most`, with the fillers that overshoot least."""
    alone = -(-amount // price)
    if 1 <= alone <= most:
        yield ((sku, alone),)
    fits = []
    for quantity in {*range(1, min(alone - 1, most, MIXED_MAX) + 1), min(alone - 1, most)} - {0}:
        missing = amount - quantity * price
        for filler in shelf.fillers(lever):
            each = shelf.offers[filler].price
            count = -(-missing // each)
            if filler != sku and count <= shelf.most(filler):
                fits.append((quantity * price + count * each, quantity, filler, count))
    for _, quantity, filler, count in nsmallest(FITS_MAX, fits):
        yield ((sku, quantity), (filler, count))


def _pieces(shelf: Shelf, lever: Lever, sku: str, pieces: int) -> Iterator[Lines]:
    """So many pieces: of the product alone, and one of it with the cheapest and with the dearest filler."""
    if 1 <= pieces <= shelf.most(sku):
        yield ((sku, pieces),)
    fillers = [filler for filler in shelf.fillers(lever) if filler != sku and pieces - 1 <= shelf.most(filler)]
    if pieces > 1 and fillers:
        yield ((sku, 1), (fillers[0], pieces - 1))
        yield ((sku, 1), (fillers[-1], pieces - 1))


class Candidate(msgspec.Struct, frozen=True):
    """One cart in one situation, with what a unit of the SKU costs in it."""

    lines: Lines
    situation: Situation
    order: PricedOrder
    price: int
    worth: int
    outlay: int

    @property
    def net(self) -> int:
        """As of a `ReachedPrice`."""
        return self.price - self.worth

    @property
    def brings(self) -> int:
        """As of a `ReachedPrice`."""
        return self.price - self.outlay


MEASURES: Final[tuple[Callable[[Candidate], int], ...]] = (
    lambda each: each.net,
    lambda each: each.price,
    lambda each: each.brings,
)
"""What is told of gifts goes by the first, floors and the price history by the second, costs by the last.

Without gifts and points they are the same, and so are the carts that reach them.
"""


def lowest_price(shelf: Shelf, goods: GoodsEntry, engine: Engine, tried: Sequence[Lines]) -> list[ReachedPrice]:
    """The least that a unit is paid with in any of these carts, by each measure; nothing if none can be ordered.

    Every cart is priced in the likely situations, and the best few in all. Of equals the first stands, so that the
    same definition always shows the same cart.
    """
    reached = list(_candidates(shelf, goods, engine.likely, tried))
    best = {id(each): each for measure in MEASURES for each in sorted(reached, key=measure)[:BEST_MAX]}
    carts_of_best = dict.fromkeys(each.lines for each in best.values()) or dict.fromkeys(tried[:BEST_MAX])
    found = [*best.values(), *_candidates(shelf, goods, engine.further, carts_of_best)]
    if not found:
        return []
    offered = shelf.offers[goods.sku].price
    return [reached_price(goods, offered, each) for each in least_of(found)]


def least_of(found: Sequence[Candidate]) -> list[Candidate]:
    """The lowest by each measure, once each, and those only that are lower by theirs than the ones before."""
    least: list[Candidate] = []
    for measure in MEASURES:
        lowest = min(found, key=measure)
        if all(measure(lowest) < measure(each) for each in least):
            least.append(lowest)
    return least


def _candidates(
    shelf: Shelf, goods: GoodsEntry, situations: Iterable[Situation], tried: Iterable[Lines]
) -> Iterator[Candidate]:
    situations = tuple(situations)
    for lines in tried:
        for situation in situations:
            found = candidate(shelf.worth, goods.sku, situation, lines)
            if found is not None:
                yield found


def candidate(worth: Worth, sku: str, situation: Situation, lines: Lines) -> Candidate | None:
    """A cart in a situation; None where it cannot be ordered or no unit of the SKU is paid for in it."""
    try:
        order = situation.price(tuple(CartLine(*line) for line in lines[:LINES_MAX]))
    except Refusal:
        return None
    paid = _least_paid(order, sku)
    return None if paid is None else Candidate(lines, situation, order, paid, *worth.of(order, sku, paid))


def reached_price(goods: GoodsEntry, offered: int, found: Candidate, way: Way = Way.OFFER) -> ReachedPrice:
    """A candidate as it is shown."""
    buyer, at = found.situation.tell(found.order)
    return ReachedPrice(
        sku=goods.sku,
        price=found.price,
        offer_price=offered,
        list_price=goods.list_price,
        floor=goods.floor,
        cost=goods.cost,
        lines=found.lines,
        promotions=applied(found.order),
        way=way,
        worth=found.worth,
        outlay=found.outlay,
        buyer=buyer,
        at=at,
    )


def _least_paid(order: PricedOrder, sku: str) -> int | None:
    paid = [share.paid for line in order.lines if line.sku == sku for share in line.bought()]
    return min(paid, default=None)


def applied(order: PricedOrder) -> tuple[str, ...]:
    """The rules that took something off or gave something, beyond the offers' own prices."""
    off = [step.rule for step in order.steps if step.amount < 0 and step.kind.value not in {"list_price", "offer"}]
    return tuple(dict.fromkeys([*off, *(gift.promotion for gift in order.gifts)]))


def worst_first(reached: Iterable[ReachedPrice]) -> list[ReachedPrice]:
    """Sorted by what is left over floor and cost, the least first; then by the share of the list price that is left."""

    def left(each: ReachedPrice) -> tuple[int, float, str]:
        over = [each.price - each.floor] * (each.floor > 0) + [each.brings - each.cost] * (each.cost > 0)
        return (min(over, default=2**62), each.net / max(each.list_price, 1), each.sku)

    return sorted(reached, key=left)
