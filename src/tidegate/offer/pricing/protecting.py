"""Price protection (价保): what a line paid, compared with the price that can be reached today."""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from tidegate.base.errors import Refusal
from tidegate.offer.pricing.contracts import NOBODY, Cart, CartLine, Facts, PricedLine, PricedOrder, RuleSet, Share
from tidegate.offer.pricing.refunding import paid_by_points
from tidegate.offer.pricing.timetable import on_at


class Protected(msgspec.Struct, frozen=True):
    """What one line paid for its units that are kept, and would pay for them today, in minor units.

    `first` is the first unit of the line that is kept. `paid` is with what points paid, of which `by_points`; shipping
    is no part of it.
    """

    sku: str
    first: int
    units: int
    paid: int
    today: int
    by_points: int = 0

    @property
    def refund(self) -> int:
        """What the buyer gets back: the difference, never below 0 and never more than was paid in money."""
        return min(max(self.paid - self.today, 0), self.paid - self.by_points)


class Lowered(msgspec.Struct, frozen=True):
    """So much was given back of what the `units` of a line from unit `first` on paid; they stay sold."""

    sku: str
    first: int
    units: int
    amount: int


def cart_kept(order: PricedOrder, back: Mapping[str, int], on_offer: Collection[str]) -> Cart | None:
    """The goods that were bought and kept and are on offer, as a cart to price today; None when there are none."""
    lines = []
    for line in order.lines:
        kept = line.quantity - line.gifts - back.get(line.sku, 0)
        if kept > 0 and line.sku in on_offer:
            lines.append(CartLine(line.sku, kept))
    return Cart(tuple(lines)) if lines else None


def facts_of_today(order: PricedOrder, today: Facts) -> Facts:
    """The facts for the comparison: those of the purchase, at the moment and for the buyer of `today`.

    No points are spent, the coupons of both are shown, and nothing is barred any more that was used up then.
    """
    then = order.facts or NOBODY
    shown = tuple(dict.fromkeys((*then.coupons, *today.coupons)))
    return msgspec.structs.replace(
        then, buyer=today.buyer, now=today.now, left=today.left, points=0, coupons=shown, barred=frozenset()
    )


def reachable_today(
    price: Callable[[Cart, Facts], PricedOrder],
    rules: RuleSet,
    order: PricedOrder,
    coupon: str | None,
    back: Mapping[str, int],
    facts: Facts,
    *,
    without: Collection[str] = (),
) -> PricedOrder | None:
    """The price that `rules`, by `price`, give at the moment of `facts` for the goods of an order that are kept.

    `coupon` is the one that the order used: it is shown again, and left off where it opens nothing any more. `back`
    counts the units that came back already; goods `without` stock are left out. None: nothing of it is on sale then.
    """
    cart = cart_kept(order, back, rules.offers.keys() - set(without))
    if cart is None:
        return None
    facts = _without_slots(rules, cart, facts_of_today(order, facts))
    for shown in dict.fromkeys((coupon, None)):
        try:
            return price(msgspec.structs.replace(cart, coupon=shown), facts)
        except Refusal:
            continue
    return None


def _without_slots(rules: RuleSet, cart: Cart, facts: Facts) -> Facts:
    """The facts with which no slot applies: a price for few units and hours is not what goods cost today."""
    book, now = rules.book, facts.now
    if book is None or now is None or not book.slots:
        return facts
    on = (on_at(book.timetables.get(line.sku, ()), now) for line in cart.lines)
    return msgspec.structs.replace(facts, barred=facts.barred | {rule.id for rule in on if rule})


def protect(order: PricedOrder, today: PricedOrder, back: Mapping[str, int]) -> tuple[Protected, ...]:
    """Compare each kept line of an order with today's price of the goods kept (`cart_kept`), both after allocation."""
    now = {line.sku: line for line in today.lines}
    by_points = paid_by_points(order)
    compared = []
    for line in order.lines:
        start, bought = back.get(line.sku, 0), line.quantity - line.gifts
        units = bought - start
        if units > 0 and line.sku in now:
            points = by_points.get(line.sku, 0) * units // bought
            paid = line.paid_for(start, units) + points
            compared.append(Protected(line.sku, start, units, paid, now[line.sku].payable, points))
    return tuple(compared)


def lowered(order: PricedOrder, given: Sequence[Lowered]) -> PricedOrder:
    """The order with lower shares for what was given back of it while its units stay sold.

    What was given back is split over the units by what each had paid, so that no share falls below 0 and what comes
    back with the units later is what is left of their shares.
    """
    lines = {line.sku: line for line in order.lines}
    for each in given:
        lines[each.sku] = _lowered(lines[each.sku], each)
    return msgspec.structs.replace(order, lines=tuple(lines.values())) if given else order


def _lowered(line: PricedLine, given: Lowered) -> PricedLine:
    last = given.first + given.units
    paid = line.paid_for(given.first, given.units)
    if given.amount > paid:
        raise ValueError(f"{given.amount} was given back of {line.sku}, more than its units had paid ({paid})")
    shares: list[Share] = []
    start = reached = split = 0
    for share in line.shares:
        end = start + share.units
        within = max(min(end, last) - max(start, given.first), 0)
        shares.append(Share(min(max(given.first - start, 0), share.units), share.paid))
        reached += within * share.paid
        off = given.amount * reached // paid - split if paid else 0
        split += off
        each, more = divmod(off, within) if within else (0, 0)
        shares += [Share(more, share.paid - each - 1), Share(within - more, share.paid - each)]
        shares.append(Share(share.units - within - shares[-3].units, share.paid))
        start = end
    kept = tuple(share for share in shares if share.units)
    return msgspec.structs.replace(line, shares=kept, payable=line.payable - given.amount)
