"""What a little more in the cart would bring, in words with figures, to whoever may still have it."""

from collections.abc import Sequence

from tidegate.base.money import format_money
from tidegate.offer.campaign.contracts import Bundle, FreeShipping, Gift, Measure, PointsOff, Words
from tidegate.offer.pricing.book import Book, Rule, Stage
from tidegate.offer.pricing.contracts import Facts, Hint, RuleSet, Shortfall
from tidegate.offer.pricing.engine import Settled, costs_after, costs_of
from tidegate.offer.pricing.matching import is_left
from tidegate.offer.pricing.owning import Room


def hints_of(rules: RuleSet, book: Book, settled: Settled, facts: Facts, room: Room) -> list[Hint]:
    """What a little more in the cart would bring, the least missing first; nothing that is out of reach."""
    bases = {Stage.SHOP: costs_of(settled), Stage.PLATFORM: costs_after(book, settled, Stage.SHOP)}
    after = costs_after(book, settled, Stage.PLATFORM)
    applied = {book.rules[bit]: places for bit, places in settled.decided.applied}
    freed_by = settled.decided.freed_by
    units = [units for _, units in settled.taken]
    hints = []
    for rule, row in settled.rows.items():
        if rule.reckoner is None or rule.id in settled.barred or rule.bit == freed_by:
            continue
        if isinstance(rule.promotion.benefit, FreeShipping) and not settled.decided.fee:
            continue
        at = bases.get(rule.stage, after)
        places = applied.get(rule, row.places)
        measure, missing, off = rule.reckoner.missing(places, at, units)
        less = _less(rule, off) if _floors_leave(book, settled, places, at, off) else 0
        if missing and out_of_reach(rule, measure, missing, off, facts, room) is None:
            words = more_words(book, rule, measure, missing, less, rules.currency)
            hints.append(Hint(rule.id, rule.promotion.label, measure, missing, less, words))
    return sorted(hints, key=lambda each: (each.measure is Measure.PIECES, each.missing, each.promotion))


def out_of_reach(rule: Rule, measure: Measure, missing: int, off: int, facts: Facts, room: Room) -> Shortfall | None:
    """Why so much more in the cart would not bring what the rule gives, to this buyer or to anybody; None if it would.

    `off` is what the rule would take off then, of which a budget may not be left.
    """
    if not is_left(rule, facts, _less(rule, off)):
        return Shortfall.EXHAUSTED
    return None if room.suffices(rule, measure, missing) else Shortfall.LIMITED


def _floors_leave(book: Book, settled: Settled, places: Sequence[int], at: Sequence[int], off: int) -> bool:
    """Whether so much fits above the floors of these lines; where goods have none, what is added makes room enough."""
    lines = [settled.taken[place] for place in places]
    floors = [book.kept[offer.sku].floor * units for offer, units in lines]
    return not any(floors) or off <= sum(max(at[place] - floor, 0) for place, floor in zip(places, floors, strict=True))


def _less(rule: Rule, off: int) -> int:
    """What a rule takes off in money; gifts, free shipping and points are not told in money."""
    return off if rule.stage <= Stage.PLATFORM and not rule.gift else 0


def more_words(book: Book, rule: Rule, measure: Measure, missing: int, off: int, currency: str) -> Words:
    """`12.00 more for 50.00 off`, for what it is."""
    if measure is Measure.AMOUNT:
        amount = money(missing, currency)
        need = Words(f"再买 {amount.zh}", f"{amount.en} more")
    else:
        need = Words(f"再买 {missing} 件", f"{missing} more {'piece' if missing == 1 else 'pieces'}")
    match rule.promotion.benefit:
        case Gift(sku=sku):
            gift = book.names[sku]
            then = Words(f"可得赠品 {gift.zh}", f"for the gift {gift.en}")
        case FreeShipping():
            then = Words("可免运费", "for free shipping")
        case Bundle() | PointsOff():
            then = Words(f"可享 {rule.promotion.label.zh}", f"for {rule.promotion.label.en}")
        case _ if off:
            amount = money(off, currency)
            then = Words(f"可减 {amount.zh}", f"for {amount.en} off")
        case _:
            then = Words(f"可享 {rule.promotion.label.zh}", f"for {rule.promotion.label.en}")
    return Words(f"{need.zh}{then.zh}", f"{need.en} {then.en}")


def money(amount: int, currency: str) -> Words:
    """An amount as each language writes it."""
    return Words(format_money(amount, currency, "zh_CN"), format_money(amount, currency, "en"))
