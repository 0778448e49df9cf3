"""A small festival with coupons that are claimed, and shoppers who claim them."""

from collections.abc import Collection
from uuid import UUID

import msgspec

from tests.offer.festivals import coupon, definition, goods, offer
from tidegate.app.compose import App
from tidegate.offer.campaign.contracts import CampaignDefinition, Coupon, Shipping, UniqueCodes
from tidegate.offer.coupons.contracts import CodeStory, Kept, Totals

PRICE, OFF = 30_000, 5_000
REDUCED = PRICE - OFF


def unique(code: str = "SAVE50", *, quota: int = 0, per_buyer: int = 0, **more: object) -> Coupon:
    """A coupon that is claimed: 50.00 off from 200.00 on."""
    codes = msgspec.convert({"count": 1_000} | more, UniqueCodes)
    shared = coupon(code, threshold=20_000, off=OFF, quota=quota, per_buyer=per_buyer)
    return msgspec.structs.replace(shared, unique=codes)


def festival(*coupons: Coupon, quota: int = 1_000) -> CampaignDefinition:
    """A festival that sells one pot for 300.00, without shipping, with these coupons."""
    return definition(
        [offer("POT", PRICE, quota=quota)],
        entries=[goods("POT", 40_000)],
        coupons=coupons or (unique(),),
        shipping=Shipping(fee=0, free_from=None),
    )


async def claim(app: App, account_id: UUID, text: str = "SAVE50") -> Kept:
    """Claim a coupon, as the doors do."""
    return await app.coupons.take(account_id, text)


async def handed_out(app: App, count: int, name: str = "SAVE50") -> list[str]:
    """Make codes to be handed out."""
    batch = await app.coupons.desk.generate(name, count, "lin.wei", lambda _: None)
    return [code async for part in app.coupons.desk.codes_of(batch.batch_id) for code, _ in part]


async def story(app: App, code: str) -> CodeStory:
    """All that is known of a code."""
    async with app.db.read() as tx:
        return await app.coupons.desk.story(tx, code)


async def totals(app: App, name: str = "SAVE50") -> Totals:
    """The totals of one coupon."""
    async with app.db.read() as tx:
        return (await app.coupons.desk.totals(tx, "double-11"))[name]


def states(found: CodeStory) -> list[tuple[str, str]]:
    """What moved the code, and to which state."""
    return [(move.why, move.to_state) for move in found.moves]


def count_of(answers: Collection[object], kind: type) -> int:
    """How many of the answers are of this kind."""
    return sum(isinstance(each, kind) for each in answers)
