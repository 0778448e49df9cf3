"""A festival with a draw: one pot, two mugs for the lowest ranks, and a sticker for every second entry."""

from datetime import timedelta

import msgspec

from tests.offer.festivals import START, definition, offer
from tidegate.offer.campaign.contracts import CampaignDefinition, Draw, Prize, Words

PRICE = 8_000
OPENS, CLOSES = START, START + timedelta(days=1)
DRAWN = CLOSES + timedelta(hours=1)
PRIZES = (
    Prize(name=Words("锅", "A pot"), value=20_000, count=1),
    Prize(name=Words("杯", "A mug"), value=3_000, count=2),
    Prize(name=Words("贴纸", "A sticker"), value=100, count=1_000, chance=5_000),
)


def draw(name: str = "pots", **changes: object) -> Draw:
    """The draw; a test names what it is about."""
    usual = {
        "label": Words("抽奖", "The draw"),
        "organiser": Words("潮闸", "Tidegate"),
        "redemption": Words("随订单寄出。", "Sent with the order."),
        "opens_at": OPENS,
        "closes_at": CLOSES,
        "drawn_at": DRAWN,
        "prizes": PRIZES,
        "threshold": PRICE,
    }
    return Draw(name=name, **{**usual, **changes})  # type: ignore[arg-type]


def festival(*draws: Draw) -> CampaignDefinition:
    """A at 80.00 and B, which is too cheap for an entry."""
    return msgspec.structs.replace(definition([offer("A"), offer("B", 7_999)]), draws=draws or (draw(),))
