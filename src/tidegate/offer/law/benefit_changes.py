"""Whether a benefit gives every cart as much as the one whose place it takes. What cannot be shown does not. Pure."""

from collections.abc import Sequence
from datetime import datetime
from functools import singledispatch

from tidegate.offer.campaign.contracts import (
    AmountOff,
    Benefit,
    Bundle,
    FlashPrice,
    FreeShipping,
    Gift,
    MemberPrice,
    NForM,
    NthPiece,
    PercentOff,
    PointsOff,
    Slot,
    Step,
)
from tidegate.offer.law.changing import is_tighter


def gives_as_much(before: Benefit, after: Benefit, at: datetime) -> bool:
    """Whether every cart gets by `after`, from `at` on, what it got by `before`; benefits of two kinds never do."""
    return before == after or (type(before) is type(after) and _as_much(before, after, at))


@singledispatch
def _as_much(before: Benefit, after: Benefit, _: datetime) -> bool:
    raise AssertionError(f"nobody says how {before} and {after} compare")


@_as_much.register
def _(before: AmountOff, after: AmountOff, _: datetime) -> bool:
    if before.measure is not after.measure or before.every is not after.every or is_tighter(before.cap, after.cap):
        return False
    if not before.every:
        return _reach_as_much(before.steps, after.steps)
    old, new = before.steps[0], after.steps[0]
    # What comes again and again comes in steps, so that the first old step tells for all.
    return max(old.reach, 1) // max(new.reach, 1) * new.off >= old.off


@_as_much.register
def _(before: PercentOff, after: PercentOff, _: datetime) -> bool:
    same = before.measure is after.measure and not is_tighter(before.cap, after.cap)
    return same and _reach_as_much(before.steps, after.steps)


@_as_much.register
def _(before: NForM, after: NForM, _: datetime) -> bool:
    return after.take <= before.take and after.take - after.pay >= before.take - before.pay


@_as_much.register
def _(before: NthPiece, after: NthPiece, _: datetime) -> bool:
    return after.nth <= before.nth and after.off >= before.off


@_as_much.register
def _(before: Bundle, after: Bundle, _: datetime) -> bool:
    return set(after.parts) == set(before.parts) and after.price <= before.price


@_as_much.register
def _(before: MemberPrice, after: MemberPrice, _: datetime) -> bool:
    prices = dict(after.prices)
    return all(sku in prices and prices[sku] <= price for sku, price in before.prices)


@_as_much.register
def _(before: Gift, after: Gift, _: datetime) -> bool:
    same = (before.sku, before.measure) == (after.sku, after.measure) and after.every >= before.every
    return same and after.reach <= before.reach and after.quantity >= before.quantity


@_as_much.register
def _(before: FreeShipping, after: FreeShipping, _: datetime) -> bool:
    return before.measure is after.measure and after.reach <= before.reach


@_as_much.register
def _(before: PointsOff, after: PointsOff, _: datetime) -> bool:
    return after.points <= before.points and after.share >= before.share


@_as_much.register
def _(before: FlashPrice, after: FlashPrice, at: datetime) -> bool:
    slots = {slot.name: slot for slot in after.slots}
    open_still = [slot for slot in before.slots if slot.ends_at > at]
    return (
        after.sku == before.sku
        and after.price <= before.price
        and after.carry_over >= before.carry_over
        and after.coupons >= before.coupons
        and all(slot.name in slots and _is_as_good(slot, slots[slot.name], at) for slot in open_still)
    )


def _is_as_good(before: Slot, after: Slot, at: datetime) -> bool:
    return (
        after.starts_at <= max(before.starts_at, at)
        and after.ends_at >= before.ends_at
        and after.units >= before.units
        and not is_tighter(before.per_account, after.per_account)
    )


def _reach_as_much(before: Sequence[Step], after: Sequence[Step]) -> bool:
    """Whether the highest step reached takes off as much as before, wherever either of them begins one."""
    return all(_off(after, at) >= _off(before, at) for at in {step.reach for step in (*before, *after)})


def _off(steps: Sequence[Step], reached: int) -> int:
    return max((step for step in steps if step.reach <= reached), key=_reach, default=Step(0, 0)).off


def _reach(step: Step) -> int:
    return step.reach
