"""What a campaign states of flash prices in slots (秒杀场次): windows of time, each with its own units."""

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from msgspec import Meta, Struct

from tidegate.offer.campaign.guarding import QUANTITY_MAX
from tidegate.offer.campaign.texts import Words

SLOTS_MAX = 500
"""Slots of one flash price."""
SHOP_ZONE = "Asia/Shanghai"
_MOMENT = timedelta(microseconds=1)


class Slot(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From ``starts_at`` on and before ``ends_at``, ``units`` units at the flash price, ``per_account`` of them each.

    ``per_account`` 0: no limit. Counters bear the ``name``: it stays the same in later versions.
    """

    name: str
    starts_at: datetime
    ends_at: datetime
    units: Annotated[int, Meta(ge=0, le=QUANTITY_MAX)]
    per_account: Annotated[int, Meta(ge=0, le=QUANTITY_MAX)] = 0


class FlashPrice(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="flash_price"):
    """秒杀: within its slots, units of ``sku`` cost ``price`` each; outside of them what the offer says.

    It stands for all units of an order's line or for none. ``carry_over``: what one slot leaves goes on to the next.
    Without ``coupons`` no coupon counts goods at this price. ``zone`` is the clock that the slots are told by.
    """

    sku: str
    price: Annotated[int, Meta(ge=0)]
    slots: tuple[Slot, ...]
    carry_over: bool = False
    coupons: bool = False
    zone: str = SHOP_ZONE

    def in_order(self) -> tuple[Slot, ...]:
        """The slots in the order in which they begin."""
        return tuple(sorted(self.slots, key=_start))

    def label(self, slot: Slot) -> Words:
        """How a slot is called: by the day and time at which it begins."""
        local = slot.starts_at.astimezone(ZoneInfo(self.zone))
        pattern = "HH:mm:ss" if local.second else "HH:mm"
        return Words(
            zh=format_datetime(local, f"M月d日 {pattern} 场", locale="zh"),
            en=format_datetime(local, f"d MMM {pattern}", locale="en"),
        )

    def span(self, slot: Slot) -> Words:
        """From when to when a slot is on, by the clock of the zone; the end's day only where it is another one."""
        start, end = (each.astimezone(ZoneInfo(self.zone)) for each in (slot.starts_at, slot.ends_at))
        pattern = "HH:mm:ss" if start.second or end.second else "HH:mm"
        same = start.date() == (end - _MOMENT).date()
        zh, en = [], []
        for moment, with_day in ((start, True), (end, not same)):
            zh.append(format_datetime(moment, f"M月d日 {pattern}" if with_day else pattern, locale="zh"))
            en.append(format_datetime(moment, f"d MMM {pattern}" if with_day else pattern, locale="en"))
        return Words("–".join(zh), "–".join(en))


def _start(slot: Slot) -> datetime:
    return slot.starts_at
