"""Who a shopper is to the shop, as prices are told: as it was lately, and never longer ago than stated."""

from itertools import pairwise

from tests.offer.festivals import definition, offer
from tests.sale.ordering.test_life import paid
from tests.sale.shop import buyers, publish
from tidegate.app.acquaintance import KNOWN_SECONDS, KnownShoppers
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import Audience


async def test_who_has_paid_is_a_returning_customer_within_the_stated_time(shop: App, clock: ManualClock) -> None:
    await publish(shop, definition([offer("A", quota=9, per_buyer=0)]))
    [lin] = await buyers(shop, 1)
    known = KnownShoppers(shop.db, clock, shop.identity, shop.ordering)

    async def is_new() -> bool:
        return Audience.NEW in (await known.shopper(lin.account_id)).audience

    assert await is_new()
    await paid(shop, lin, {"A": 1}, 8_000)
    seen = [await is_new()]
    for _ in range(8):
        clock.advance(seconds=KNOWN_SECONDS / 8)
        seen.append(await is_new())
    assert seen[0], "asked again at once, nothing is read"
    assert not seen[-1]
    assert all(earlier or not later for earlier, later in pairwise(seen)), "and then it stays so"


async def test_whoever_was_not_asked_for_lately_is_read_again(shop: App, clock: ManualClock) -> None:
    await publish(shop, definition([offer("A", quota=9, per_buyer=0)]))
    [lin] = await buyers(shop, 1)
    known = KnownShoppers(shop.db, clock, shop.identity, shop.ordering)
    assert Audience.NEW in (await known.shopper(lin.account_id)).audience
    await paid(shop, lin, {"A": 1}, 8_000)
    clock.advance(seconds=KNOWN_SECONDS)
    assert Audience.RETURNING in (await known.shopper(lin.account_id)).audience
