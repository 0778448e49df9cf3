"""Why no slot of a flash price applies, in words: when the next one begins, or what is left of the one that is on."""

from collections.abc import Sequence

from tidegate.offer.campaign.contracts import Words
from tidegate.offer.pricing.book import Per, Rule
from tidegate.offer.pricing.contracts import Facts, Shortfall
from tidegate.offer.pricing.timetable import next_after, units_left
from tidegate.offer.pricing.words import SHORTFALLS

_ALL_OVER = Words(zh="各场次均已结束", en="All of its slots are over")
_GONE = Words(zh="本场已售完", en="This slot's units are gone")


def between_words(slots: Sequence[Rule], facts: Facts) -> Words:
    """No slot is on: when the next one begins, or that there is none."""
    coming = next_after(slots, facts.now) if facts.now else None
    return _begins(coming) if coming else _ALL_OVER


def used_up_words(slots: Sequence[Rule], rule: Rule, facts: Facts, quantity: int) -> Words:
    """The slot is on and does not serve so many units: one account may not have them, or nobody has them any more."""
    left = units_left(rule, facts.left)
    own = next((counter for counter in rule.counters if counter.per is Per.BUYER_UNITS), None)
    mine = facts.left.get(f"{own.head}{facts.buyer.hex}", quantity) if own and facts.buyer else quantity
    if own and quantity > own.cap:
        words = Words(zh=f"本场每人限购 {own.cap} 件", en=f"One account may have {own.cap} in this slot")
    elif left < quantity:
        words = Words(zh=f"本场秒杀价只剩 {left} 件", en=f"Only {left} are left in this slot") if left else _GONE
    elif own and mine < quantity:
        cap = own.cap
        words = Words(
            zh=f"本场每人限购 {cap} 件，已用完", en=f"One account may have {cap} in this slot, and has had it"
        )
    else:
        words = SHORTFALLS[Shortfall.EXHAUSTED]  # the promotion's own limits or budget
    coming = next_after(slots, facts.now) if facts.now else None
    if coming is None:
        return words
    then = _begins(coming)
    return Words(f"{words.zh}；{then.zh}", f"{words.en}; {then.en[:1].lower()}{then.en[1:]}")


def _begins(rule: Rule) -> Words:
    name = rule.slot_label
    return Words(zh=f"下一场：{name.zh}", en=f"The next slot begins at {name.en}")
