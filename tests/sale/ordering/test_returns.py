"""Returns by the plan on the real database and real channels: any path, many at once, and all books the same."""

import asyncio
from collections.abc import Mapping
from random import Random
from uuid import UUID

import msgspec
import pytest

from tests.offer.promotions import amount_off, festival, promotion
from tests.sale.books import Books
from tests.sale.ordering.test_life import deliver, paid, refunded, show
from tests.sale.shop import broken, buyers, levels, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignId, Gift, GiftPolicy, Shipping
from tidegate.offer.pricing.api import Lowered
from tidegate.sale.ordering.contracts import OrderState, Refund, RefundLine, RefundReason
from tidegate.sale.ordering.errors import OrderEnded, RefundChanged, RefundReasonMissing, RefundTooLarge

CAMPAIGN = CampaignId("double-11")
CART = {"CUP": 3, "POT": 2}
TOTAL = 3 * 3_333 + 2 * 1_001 - 199 + 800
TRAY_IN_PROPORTION = 1_500


def with_gifts(policy: GiftPolicy) -> CampaignDefinition:
    """Cups and pots under a reduction that does not divide, with a tray worth 15.00 for the cups, and shipping."""
    listed = [
        promotion("off", amount_off(5_000, 199)),
        promotion("tray", Gift(sku="TRAY", reach=5_000), skus=["CUP"]),
    ]
    prices = {"CUP": 3_333, "POT": 1_001, "TRAY": 1_500}
    made = festival(prices, listed, shipping=Shipping(fee=800, free_from=None))
    return msgspec.structs.replace(made, returns=msgspec.structs.replace(made.returns, gifts=policy))


async def give_back(shop: App, order_id: UUID, buyer_id: UUID, units: Mapping[str, int], reason: str = "") -> Refund:
    lines = [RefundLine(sku, count) for sku, count in units.items()]
    async with shop.db.transaction() as tx:
        return await shop.ordering.refund(tx, order_id, buyer_id, lines, reason)


def portions(seed: int, units: Mapping[str, int]) -> list[tuple[str, int]]:
    """The units in random portions, in a random order."""
    chance, parts = Random(seed), []
    for sku, count in units.items():
        left = count
        while left:
            portion = chance.randint(1, left)
            parts.append((sku, portion))
            left -= portion
    chance.shuffle(parts)
    return parts


async def test_any_path_of_returns_ends_with_the_same_money_in_all_books(
    shop: App, clock: ManualClock, books: Books
) -> None:
    await publish(shop, with_gifts(GiftPolicy.PAY))
    crowd = await buyers(shop, 12)
    ids = []
    for seed, buyer in enumerate(crowd):
        order_id = await paid(shop, buyer, CART, TOTAL)
        ids.append(order_id)
        gift = {"TRAY": 1} if seed % 2 else {}
        parts = portions(seed, CART | gift)
        if gift:  # it comes back before or with the last goods
            place = next(place for place, (sku, _) in enumerate(parts) if sku == "TRAY")
            parts.insert(Random(seed).randint(0, len(parts) - 2), parts.pop(place))
        refunds = [await give_back(shop, order_id, buyer.account_id, {sku: units}) for sku, units in parts]
        assert sum(each.amount for each in refunds) == TOTAL - (0 if gift else TRAY_IN_PROPORTION)
        assert sum(each.withheld for each in refunds) == (0 if gift else TRAY_IN_PROPORTION)
        assert (await show(shop, order_id)).state in {OrderState.REFUNDING, OrderState.REFUNDED}
    await refunded(shop, clock)
    orders = [await show(shop, order_id) for order_id in ids]
    assert {order.state for order in orders} == {OrderState.REFUNDED}
    assert [TOTAL - order.refunded for order in orders] == [TRAY_IN_PROPORTION, 0] * 6
    await books.require_equal(shop, ids)


async def test_64_racing_returns_of_one_order_pay_no_cent_twice(shop: App, clock: ManualClock, books: Books) -> None:
    await publish(shop, with_gifts(GiftPolicy.KEEP))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, CART, TOTAL)

    async def one(number: int) -> Refund | Refusal:
        try:
            return await give_back(shop, order_id, buyer.account_id, {("CUP", "POT")[number % 2]: 1})
        except Refusal as refusal:
            return refusal

    answers = await asyncio.gather(*[one(number) for number in range(64)])
    given = [each for each in answers if isinstance(each, Refund)]
    assert len(given) == 5
    assert all(isinstance(each, Refund | RefundTooLarge | OrderEnded) for each in answers)
    assert sum(each.amount for each in given) == TOTAL
    await refunded(shop, clock)
    assert (await show(shop, order_id)).refunded == TOTAL
    level = await levels(shop, CAMPAIGN, ["CUP", "TRAY"])
    assert (level["CUP"].sold, level["TRAY"].sold) == (0, 1)
    await books.require_equal(shop, [order_id])


async def test_a_gift_alone_brings_no_money_and_a_cancelled_order_gives_it_back(
    shop: App, clock: ManualClock, books: Books
) -> None:
    await publish(shop, with_gifts(GiftPolicy.PAY))
    one, two = await buyers(shop, 2)
    order_id = await paid(shop, one, CART, TOTAL)
    refund = await give_back(shop, order_id, one.account_id, {"TRAY": 1})
    assert (refund.amount, refund.confirmed_at is not None) == (0, True)
    assert (await show(shop, order_id)).state is OrderState.PAID
    cancelled = await paid(shop, two, CART, TOTAL)
    async with shop.db.transaction() as tx:
        await shop.ordering.cancel(tx, cancelled, two.account_id)
        [all_of_it] = await shop.ordering.refunds_of(tx, cancelled)
    assert (all_of_it.cause, all_of_it.amount, all_of_it.withheld) == (RefundReason.CANCELLED, TOTAL, 0)
    await refunded(shop, clock)
    assert (await levels(shop, CAMPAIGN, ["TRAY"]))["TRAY"].sold == 0
    await books.require_equal(shop, [order_id, cancelled])


async def test_staff_refund_what_they_saw_and_say_why(shop: App) -> None:
    await publish(shop, with_gifts(GiftPolicy.PAY))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, CART, TOTAL)
    lines = [RefundLine("CUP", 1)]
    async with shop.db.read() as tx:
        plan = await shop.ordering.plan_refund(tx, order_id, None, lines)
    assert (plan.withheld, plan.shipping) == (500, 0)
    async with shop.db.transaction() as tx:
        with pytest.raises(RefundReasonMissing):
            await shop.ordering.refund(tx, order_id, None, lines, " ", by="Lin", expected=plan.amount)
        with pytest.raises(RefundChanged):
            await shop.ordering.refund(tx, order_id, None, lines, "broken cup", by="Lin", expected=plan.amount + 1)
        refund = await shop.ordering.refund(tx, order_id, None, lines, "broken cup", by="Lin", expected=plan.amount)
    assert (refund.amount, refund.asked_by, refund.reason) == (plan.amount, "Lin", "broken cup")
    async with shop.db.read() as tx:
        assert await shop.ordering.refunds_of(tx, order_id) == [refund]
    await deliver(shop)
    assert await broken(shop) == []


async def test_units_that_cost_nothing_any_more_bring_only_their_shipping(shop: App, clock: ManualClock) -> None:
    await publish(shop, with_gifts(GiftPolicy.KEEP))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, {"POT": 1}, 1_801)
    async with shop.db.transaction() as tx:
        kept = await shop.ordering.kept(tx, order_id)
        await shop.ordering.lower(tx, kept, [Lowered("POT", 0, 1, 1_001)], "price protection")
    await refunded(shop, clock)
    assert (await show(shop, order_id)).state is OrderState.PAID
    assert (await give_back(shop, order_id, buyer.account_id, {"POT": 1})).amount == 800  # shipping alone
    await refunded(shop, clock)
    found = await show(shop, order_id)
    assert (found.state, found.refunded) == (OrderState.REFUNDED, 1_801)
    async with shop.db.read() as tx:
        ours, ledger = await shop.ordering.sums(tx, [order_id]), await shop.payment.ledger_sums(tx, [order_id])
    assert ours.refunded == ledger.refunded == 1_801
