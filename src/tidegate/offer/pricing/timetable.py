"""The timetable of a product's flash prices at a moment: which slot is on, which comes next, what is left of each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from tidegate.offer.campaign.contracts import FlashPrice, Words
from tidegate.offer.pricing.book import Book, Per, Rule, asks_for_person


class SlotState(StrEnum):
    """Where a slot stands: `gone` is on and has no unit left, `next` is the first to come."""

    OVER = "over"
    ON = "on"
    GONE = "gone"
    NEXT = "next"
    LATER = "later"


class SlotSold(msgspec.Struct, frozen=True, kw_only=True):
    """One slot with the units that were ordered in it at its price, in orders that are paid or may still be."""

    view: "SlotView"
    sold: int


class SlotView(msgspec.Struct, frozen=True, kw_only=True):
    """One slot as it stands. Money in minor units; `left` are units at the flash price, `per_account` 0 is no limit.

    What is left of a slot that comes after another one with `carry_over` may be more than its own `units`.
    """

    sku: str
    promotion: str
    name: str
    label: Words
    span: Words
    starts_at: datetime
    ends_at: datetime
    price: int
    units: int
    left: int
    per_account: int
    carry_over: bool
    for_some: bool
    """Not for everybody: it asks who the shopper is, or for a coupon."""
    state: SlotState


def timetable(book: Book | None, sku: str, now: datetime, left: Mapping[str, int]) -> tuple[SlotView, ...]:
    """The slots of a product, in the order in which they begin; none where it has no flash price in slots.

    `left` says what is left of counters, by key, as `Facts.left` does.
    """
    rules = book.timetables.get(sku, ()) if book else ()
    coming = next_after(rules, now)
    return tuple(_view(rule, sku, now, left, is_next=rule is coming) for rule in rules)


def slot_key(rule: Rule) -> str:
    """The key of the counter of a slot's own units."""
    return next(head for per, head, _, at_last in rule.counters if per is Per.UNITS and not at_last)


def next_after(rules: Sequence[Rule], now: datetime) -> Rule | None:
    """The first of these slots that is still to begin."""
    return next((rule for rule in rules if rule.slot and rule.slot.starts_at > now), None)


def on_at(rules: Sequence[Rule], now: datetime) -> Rule | None:
    """The slot that is on; a product has one at a time."""
    return next((rule for rule in rules if rule.slot and rule.slot.starts_at <= now < rule.slot.ends_at), None)


def units_left(rule: Rule, left: Mapping[str, int]) -> int:
    """Units of a slot that nobody has yet, with what the slots before it left where they carry over."""
    found = []
    for per, head, cap, _ in rule.counters:
        if per is Per.UNITS:
            later = rule.later.get(head, 0)
            found.append(left.get(head, cap + later) - later)
    return max(0, min(found, default=0))


def _view(rule: Rule, sku: str, now: datetime, left: Mapping[str, int], *, is_next: bool) -> SlotView:
    slot, benefit = rule.slot, rule.promotion.benefit
    assert slot is not None
    assert isinstance(benefit, FlashPrice)
    over = now >= slot.ends_at
    coming = now < slot.starts_at
    units = slot.units if coming else units_left(rule, left)
    if over:
        units, state = 0, SlotState.OVER
    elif coming:
        state = SlotState.NEXT if is_next else SlotState.LATER
    else:
        state = SlotState.ON if units else SlotState.GONE
    return SlotView(
        sku=sku,
        promotion=rule.promotion.id,
        name=slot.name,
        label=rule.slot_label,
        span=rule.slot_span,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        price=benefit.price,
        units=slot.units,
        left=units,
        per_account=slot.per_account,
        carry_over=benefit.carry_over,
        for_some=asks_for_person(rule.promotion) or bool(rule.promotion.coupon),
        state=state,
    )
