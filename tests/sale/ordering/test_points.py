"""Points through an order's whole life: held with it, spent or released, earned, given back with what is refunded."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from tests.offer.festivals import definition, offer
from tests.sale.ordering.test_life import deliver, show
from tests.sale.shop import Buyer, broken, buyers, levels, open_sale, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    CampaignId,
    Earning,
    Layer,
    PointsOff,
    Promotion,
    Shipping,
    Words,
)
from tidegate.sale.ordering.contracts import OrderState, Placed, RefundLine
from tidegate.sale.ordering.errors import KeyReused, PriceChanged
from tidegate.sale.payment.contracts import IntentState
from tidegate.sale.points.contracts import Balance
from tidegate.sale.points.errors import PointsShort

CAMPAIGN = CampaignId("double-11")


def festival() -> CampaignDefinition:
    """Two goods at 80.00 and 30.00; 100 points pay 1.00 for half at most; each whole 10.00 paid earns 3."""
    plain = definition([offer("A", quota=9), offer("B", 3_000, quota=90)], shipping=Shipping(fee=500, free_from=None))
    spend = Promotion(
        id="points", label=Words("积分", "Points"), benefit=PointsOff(points=1, share=5_000), layer=Layer.POINTS
    )
    return msgspec.structs.replace(plain, promotions=(spend,), earning=Earning(paid=1_000, points=3, per_order=25))


async def grant(app: App, buyer: Buyer, points: int) -> None:
    async with app.db.transaction() as tx:
        await app.points.grant(tx, buyer.account_id, points, by="test", reason="a start")


async def balance(app: App, buyer: Buyer) -> Balance:
    async with app.db.read() as tx:
        return await app.points.balance(tx, buyer.account_id)


async def buy(
    app: App, buyer: Buyer, lines: dict[str, int], total: int, points: int, key: str = "points-key-1"
) -> Placed:
    command = msgspec.structs.replace(order(buyer, lines, total), points=points)
    return await app.ordering.place(buyer.account_id, key, command)


async def pay(app: App, buyer: Buyer, order_id: UUID) -> None:
    assert (await app.payment.pay(order_id, buyer.account_id)).state is IntentState.CAPTURED
    await deliver(app)


async def refund(app: App, buyer: Buyer, order_id: UUID, sku: str, units: int) -> None:
    async with app.db.transaction() as tx:
        await app.ordering.refund(tx, order_id, buyer.account_id, [RefundLine(sku, units)], "too many")
    await app.payment.send_refunds_due()
    await deliver(app)


async def test_points_pay_a_part_and_come_back_with_their_units(shop: App) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    await grant(shop, buyer, 5_000)
    # 80.00 + 2 x 30.00 = 140.00, of which 50.00 in points, and 5.00 for shipping.
    placed = await buy(shop, buyer, {"A": 1, "B": 2}, 9_500, 5_000)
    assert await balance(shop, buyer) == Balance(0, 5_000)
    assert await broken(shop) == []
    await pay(shop, buyer, placed.order_id)
    assert await balance(shop, buyer) == Balance(25, 0)  # 9 x 3, at most 25
    assert await broken(shop) == []
    priced = (await show(shop, placed.order_id)).priced
    parts = dict(next(each for each in priced.reductions if each.promotion == "points").lines)
    assert sum(parts.values()) == 5_000
    await refund(shop, buyer, placed.order_id, "B", 1)
    paid = next(line for line in priced.lines if line.sku == "B").paid_for(0, 1)
    gone = 25 - 25 * (9_000 - paid) // 9_000
    assert await balance(shop, buyer) == Balance(parts["B"] // 2 + 25 - gone, 0)
    await refund(shop, buyer, placed.order_id, "A", 1)
    await refund(shop, buyer, placed.order_id, "B", 1)
    assert (await show(shop, placed.order_id)).state is OrderState.REFUNDED
    assert await balance(shop, buyer) == Balance(5_000, 0)
    assert await broken(shop) == []


@pytest.mark.parametrize("ending", ["cancelled", "expired"])
async def test_points_of_an_order_that_ends_unpaid_are_free_again(shop: App, clock: ManualClock, ending: str) -> None:
    await publish(shop, festival())
    [buyer] = await buyers(shop, 1)
    await grant(shop, buyer, 5_000)
    placed = await buy(shop, buyer, {"A": 1}, 4_500, 9_999)  # half at most, whatever is offered
    assert await balance(shop, buyer) == Balance(1_000, 4_000)
    if ending == "cancelled":
        async with shop.db.transaction() as tx:
            await shop.ordering.cancel(tx, placed.order_id, buyer.account_id)
    else:
        clock.advance(seconds=16 * 60)
        await shop.ordering.expire_due()
    assert await balance(shop, buyer) == Balance(5_000, 0)
    assert await broken(shop) == []


async def test_points_that_are_not_there_refuse_the_order_and_take_nothing(app: App, clock: ManualClock) -> None:
    await publish(app, festival())
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    await grant(app, buyer, 3_999)
    with pytest.raises(PointsShort) as refused:
        await buy(app, buyer, {"A": 1}, 4_500, 4_000)
    assert refused.value.fields == {"points": 4_000, "available": 3_999}
    with pytest.raises(PriceChanged):
        await buy(app, buyer, {"A": 1}, 4_500, 3_999)
    assert (await levels(app, CAMPAIGN, ["A"]))["A"].free == 9
    assert await balance(app, buyer) == Balance(3_999, 0)
    assert (await buy(app, buyer, {"A": 1}, 4_501, 3_999)).total == 4_501
    with pytest.raises(KeyReused):
        await buy(app, buyer, {"A": 1}, 4_501, 3_998)
    assert await broken(app) == []


async def test_64_orders_at_once_never_spend_more_points_than_there_are(app: App, clock: ManualClock) -> None:
    await publish(app, festival())
    open_sale(clock)
    one, two = await buyers(app, 2)
    await grant(app, one, 10_000)
    await grant(app, two, 1_499)

    async def tried(number: int) -> Placed | Refusal:
        try:
            return await buy(app, (one, two)[number % 2], {"B": 1}, 2_000, 1_500, f"points-key-{number:02}")
        except Refusal as refusal:
            return refusal

    answers = await asyncio.gather(*[tried(number) for number in range(64)])
    assert [sum(isinstance(each, Placed) for each in answers[start::2]) for start in (0, 1)] == [6, 0]
    assert all(isinstance(each, Placed | PointsShort) for each in answers)
    assert (await balance(app, one), await balance(app, two)) == (Balance(1_000, 9_000), Balance(1_499, 0))
    assert (await levels(app, CAMPAIGN, ["B"]))["B"].free == 84
    assert await broken(app) == []
