"""Flash prices in slots to test with."""

from datetime import timedelta
from typing import Any

from tests.offer.festivals import START
from tests.offer.promotions import promotion
from tidegate.offer.campaign.contracts import FlashPrice, Promotion, Slot


def slot(name: str, from_minute: int, minutes: int, units: int, per_account: int = 0) -> Slot:
    """A slot from so many minutes after the start of the sale on."""
    start = START + timedelta(minutes=from_minute)
    end = start + timedelta(minutes=minutes)
    return Slot(name=name, starts_at=start, ends_at=end, units=units, per_account=per_account)


def flash(*slots: Slot, sku: str = "A", price: int = 5_000, name: str = "flash", **more: Any) -> Promotion:
    """A flash price in these slots; what is said of the price itself stands among `more`."""
    of_price = {key: more.pop(key) for key in ("carry_over", "coupons", "zone") if key in more}
    return promotion(name, FlashPrice(sku=sku, price=price, slots=slots, **of_price), **more)
