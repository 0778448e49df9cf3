"""Matches facts with the rules: what the moment, the shopper and the counters allow."""

from collections.abc import Mapping, Sequence

from tidegate.offer.coupons.contracts import coupon_name, tidy
from tidegate.offer.pricing.book import Book, Per, Rule
from tidegate.offer.pricing.conditions import Fact, Outcome
from tidegate.offer.pricing.contracts import Cart, CounterUse, Facts
from tidegate.offer.pricing.kernel import bits_of

MASKS_MAX = 1_024
LEFT_MANY = 2**62
"""What stands for a counter of which nothing is known to be short."""


def allowed(book: Book, facts: Facts, coupon: str | None) -> int:
    """The mask of the rules that the moment, the shopper and the coupons allow."""
    gates = book.gates
    who = (facts.audience, facts.tier, facts.segments, facts.coupons, facts.points, facts.named, facts.out)
    key = (gates.window(facts.now), coupon, who)
    known = gates.known.get(key)
    if known is None:
        if len(gates.known) >= MASKS_MAX:
            gates.known.clear()
        known = gates.known[key] = _allowed(book, facts, coupon)
    return known


def _allowed(book: Book, facts: Facts, coupon: str | None) -> int:
    gates = book.gates
    mask = gates.at(facts.now)
    mask &= _through(gates.audiences, facts.audience)
    mask &= _through(gates.tiers, (facts.tier,) if facts.tier is not None else None)
    mask &= _through(gates.segments, facts.segments)
    mask &= _through(gates.coupons, shown(facts, coupon))
    if len(gates.conditions):
        mask &= _conditional(book, facts)
    if facts.out:
        mask &= book.without_gifts(facts.out)
    return mask


def _through(gate: tuple[int, Mapping[str, int]], names: Sequence[str] | frozenset[str] | None) -> int:
    mask, by_name = gate
    if names and by_name:
        for name in names:
            mask |= by_name.get(name, 0)
    return mask


def _conditional(book: Book, facts: Facts) -> int:
    mask, masks = book.gates.conditional
    for outcome, each in zip(outcomes(book, facts), masks, strict=True):
        if outcome is Outcome.HOLDS:
            mask |= each
    return mask


def outcomes(book: Book, facts: Facts) -> list[Outcome]:
    """What became of each distinct condition of the book."""
    key = (facts.audience, facts.tier, facts.segments, facts.points, facts.named)
    return book.gates.conditions.judge(key, lambda: named(facts))


def named(facts: Facts) -> dict[str, Fact]:
    """The facts that are known, by the names that conditions declare."""
    known: dict[str, Fact] = dict(facts.named)
    known["points"] = facts.points
    if facts.audience is not None:
        known["audience"] = sorted(facts.audience)
    if facts.tier is not None:
        known["tier"] = facts.tier
    if facts.segments is not None:
        known["segments"] = sorted(facts.segments)
    return known


def shown(facts: Facts, coupon: str | None) -> tuple[str, ...]:
    """The coupons that are shown, as the definition writes them: a shopper's own code stands for its coupon, too."""
    if coupon is None and not facts.coupons:
        return ()
    codes = facts.coupons if coupon is None else (coupon, *facts.coupons)
    return tuple(name for code in codes for name in {tidy(code): None, coupon_name(code): None})


def is_left(rule: Rule, facts: Facts, amount: int, units: int = 0) -> bool:
    """Whether nothing is known that would keep the counters from one more order with `amount` taken off `units`."""
    if units > rule.units_max > 0:
        return False
    left = facts.left
    if not left or not rule.counters:
        return True
    uses = (*shared_uses(rule, amount, units), *own_uses(rule, facts, units))
    return all(left.get(use.key, LEFT_MANY) >= least_of(rule, use) for use in uses)


def least_of(rule: Rule, use: CounterUse) -> int:
    """What must be left of a counter for this use: where one goes through all slots, the units of later ones too."""
    return use.amount + rule.later.get(use.key, 0)


def shared_uses(rule: Rule, amount: int, units: int = 0) -> list[CounterUse]:
    """What one order uses of a rule's counters for everybody."""
    uses = rule.per_order[:]
    if len(uses) < len(rule.counters):
        for per, head, cap, _ in rule.counters:
            if per is Per.MONEY and amount:
                uses.append(CounterUse(head, amount, cap))
            elif per is Per.UNITS:
                uses.append(CounterUse(head, units, cap))
    return uses


def own_uses(rule: Rule, facts: Facts, units: int = 0) -> list[CounterUse]:
    """What one order uses of a rule's counters for each account; of a guest nothing."""
    uses: list[CounterUse] = []
    if facts.buyer is None or not rule.counts_accounts:
        return uses
    buyer = facts.buyer.hex
    for per, head, cap, _ in rule.counters:
        if per is Per.BUYER:
            uses.append(CounterUse(f"{head}{buyer}", 1, cap))
        elif per is Per.BUYER_UNITS:
            uses.append(CounterUse(f"{head}{buyer}", units, cap))
        elif per is Per.PERIOD:
            uses.append(CounterUse(f"{head}{period_of(rule, facts)}:{buyer}", 1, cap))
    return uses


def has_used_up(book: Book, cart: Cart, facts: Facts) -> bool:
    """Whether something is known to be short of what promotions of these goods give to this buyer alone."""
    if facts.buyer is None or not facts.left:
        return False
    mask = concerned(book, cart)
    return any(use.key in facts.left for bit in bits_of(mask) for use in own_uses(book.rules[bit], facts))


def concerned(book: Book, cart: Cart) -> int:
    """The mask of all rules that concern goods of the cart, whoever buys them and whenever."""
    mask = 0
    for line in cart.lines:
        mask |= book.masks.get(line.sku, 0) | book.price_masks.get(line.sku, 0)
    return mask


def period_of(rule: Rule, facts: Facts) -> int:
    """The number of the period, counted from the start of the rule on; 0 without a time."""
    return (facts.now - rule.starts_at).days // rule.period if facts.now else 0
