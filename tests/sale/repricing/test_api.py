"""Any order can be priced again to the same cent by the version that priced it, and one that was altered is found."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
import pytest

from tests.offer.festivals import coupon, definition, goods, offer
from tests.offer.promotions import amount_off, promotion
from tests.sale.groups import company
from tests.sale.presale import presales_made
from tests.sale.shop import Buyer, broken, buyers, open_sale, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    Gift,
    GroupBuy,
    Layer,
    PointsOff,
    PromotionLimits,
    Selection,
    Shipping,
)
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts
from tidegate.sale.ordering.errors import OrderUnknown
from tidegate.sale.repricing.contracts import Making, Repriced, What

_LIMITED = PromotionLimits(total=1)


def _festival() -> CampaignDefinition:
    """A version with something of each making: a cut for one order, gifts, points, a group buy and a presale."""
    sold = [offer(sku, quota=40) for sku in ("A", "B", "C")] + [offer("GIFT", quota=1)]
    extra = [goods("GIFT", 9_000), goods(company.SKU), goods(presales_made.SKU, 120_000)]
    plain = definition(sold, entries=[*map(goods, "ABC"), *extra], shipping=Shipping(fee=600, free_from=20_000))
    promotions = (
        promotion("cut", amount_off(5_000, 1_234), skus=("A",), limits=_LIMITED),
        promotion("gift", Gift(sku="GIFT", reach=100), skus=("B",)),
        promotion("points", PointsOff(points=1, share=5_000), layer=Layer.POINTS, goods=Selection(skus=("C",))),
    )
    group_buys = (GroupBuy(sku=company.SKU, price=5_900, size=3, fill_seconds=86_400, quota=30, per_buyer=0),)
    more = {"promotions": promotions, "group_buys": group_buys, "presales": (presales_made.presale(),)}
    return msgspec.structs.replace(plain, **more)


def _cheaper(of: CampaignDefinition) -> CampaignDefinition:
    """The next version, better for shoppers throughout, for no other may be published at once."""
    cut = promotion("cut", amount_off(5_000, 2_345), skus=("A",), limits=_LIMITED)
    return msgspec.structs.replace(
        of,
        offers=tuple(msgspec.structs.replace(each, price=each.price - 300) for each in of.offers),
        group_buys=tuple(msgspec.structs.replace(each, price=each.price - 300) for each in of.group_buys),
        presales=tuple(msgspec.structs.replace(each, price=each.price - 300) for each in of.presales),
        promotions=tuple(cut if each.id == "cut" else each for each in of.promotions),
        shipping=Shipping(fee=100, free_from=10_000) if of.shipping.fee else of.shipping,
    )


async def _again(app: App, order_id: UUID) -> Repriced:
    async with app.db.read() as tx:
        return await app.repricing.reprice(tx, order_id)


async def _bought(app: App, buyer: Buyer, lines: dict[str, int], key: str = "again-key-1", points: int = 0) -> UUID:
    """Order at whatever is quoted now."""
    cart = Cart(tuple(CartLine(sku, quantity) for sku, quantity in lines.items()))
    facts = await app.pricing.facts_of(cart, buyer.account_id, app.clock.now(), points=points)
    command = order(buyer, lines, app.pricing.price(cart, facts).total)
    if points:
        command = msgspec.structs.replace(command, points=points)
    return (await app.ordering.place(buyer.account_id, key, command)).order_id


async def _of_every_making(app: App, clock: ManualClock) -> dict[str, UUID]:
    one, two, three = await buyers(app, 3)
    made = {"promotion": await _bought(app, one, {"A": 2})}
    cart = Cart((CartLine("A", 2),))
    promised = app.pricing.price(cart, Facts(buyer=two.account_id, now=clock.now()))
    assert promised.reductions
    await app.refresh()
    made["used up"] = await _bought(app, two, {"A": 2})
    made["gift"] = await _bought(app, one, {"B": 1}, "again-key-2")
    made["gift left off"] = await _bought(app, two, {"B": 1}, "again-key-2")
    async with app.db.transaction() as tx:
        await app.points.grant(tx, three.account_id, 900, by="test", reason="a start")
    made["points"] = await _bought(app, three, {"C": 3}, points=700)
    joined = await company.found(app, one, "again-key-3", quantity=4)
    made["group"] = joined.order.order_id
    made["presale"] = (await presales_made.completed(app, clock, three, 2)).reservation_id
    return made


async def test_orders_of_every_making_are_the_same_to_the_cent_whatever_is_published_later(
    shop: App, clock: ManualClock
) -> None:
    await publish(shop, _festival())
    made = await _of_every_making(shop, clock)
    async with shop.db.read() as tx:
        orders = {name: await shop.ordering.order(tx, order_id) for name, order_id in made.items()}
    priced = {name: each.priced for name, each in orders.items()}
    assert [len(priced[name].reductions) for name in ("promotion", "used up", "points")] == [1, 0, 1]
    assert (len(priced["gift"].gifts), priced["gift left off"].gifts_left_off) == (1, ("GIFT",))
    assert priced["points"].points_used == 700
    await publish(shop, _cheaper(_festival()))
    assert shop.pricing.rules.version == 2
    for name, order_id in made.items():
        again = await _again(shop, order_id)
        assert (name, again.differences, again.rules_version) == (name, (), 1)
        assert (again.total, again.trace_hash) == (orders[name].total, priced[name].trace_hash)
    makings = {name: (await _again(shop, order_id)).making for name, order_id in made.items()}
    assert {name: each for name, each in makings.items() if each is not Making.ORDINARY} == {
        "group": Making.GROUP,
        "presale": Making.PRESALE,
    }
    await shop.ordering.expire_due()
    await presales_made.deliver(shop)
    assert await broken(shop) == []


async def test_an_order_without_promotions_and_one_with_a_coupon(app: App, clock: ManualClock) -> None:
    """The short way of pricing, which no promotion takes."""
    before = definition([offer("A", quota=9)], coupons=[coupon("TIDE50", 16_000, 1_111)])
    await publish(app, before)
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    plain = await _bought(app, buyer, {"A": 1})
    command = order(buyer, {"A": 2}, 16_000 - 1_111, "tide50")
    reduced = (await app.ordering.place(buyer.account_id, "again-key-2", command)).order_id
    await publish(app, _cheaper(before))
    assert [(await _again(app, each)).total for each in (plain, reduced)] == [8_000, 14_889]
    assert [(await _again(app, each)).differences for each in (plain, reduced)] == [(), ()]


async def test_points_that_a_used_up_budget_kept_back_stay_so(app: App, clock: ManualClock) -> None:
    spend = promotion("points", PointsOff(points=1, share=5_000), layer=Layer.POINTS)
    spend = msgspec.structs.replace(spend, limits=PromotionLimits(budget=500))
    await publish(app, msgspec.structs.replace(definition([offer("A", quota=9)]), promotions=(spend,)))
    open_sale(clock)
    one, two = await buyers(app, 2)
    async with app.db.transaction() as tx:
        for each in (one, two):
            await app.points.grant(tx, each.account_id, 900, by="test", reason="a start")
    await _bought(app, one, {"A": 1}, points=400)
    await app.refresh()
    late = await _bought(app, two, {"A": 1}, points=400)
    again = await _again(app, late)
    assert (again.total, again.differences) == (8_000, ())


_ALTERED: Sequence[tuple[str, What]] = (
    ("update ordering.orders set total = total - 1 where order_id = %s", What.TOTAL),
    ("update ordering.orders set campaign_id = 'another' where order_id = %s", What.RULES),
    (
        """update ordering.orders set price_hash = (select price_hash from ordering.price
        where priced -> 'lines' -> 0 ->> 'sku' = 'B') where order_id = %s""",
        What.TOTAL,
    ),
)


@pytest.mark.parametrize(("statement", "what"), _ALTERED, ids=["total", "campaign", "price"])
async def test_an_order_that_was_altered_is_found(app: App, clock: ManualClock, statement: str, what: What) -> None:
    await publish(app, definition([offer("A", 8_000, quota=9), offer("B", 7_000, quota=9)]))
    open_sale(clock)
    one, two = await buyers(app, 2)
    altered, sound = await _bought(app, one, {"A": 1}), await _bought(app, two, {"B": 1})
    async with app.db.transaction() as tx:
        await tx.execute(statement, [altered])
    assert what in {each.what for each in (await _again(app, altered)).differences}
    assert (await _again(app, sound)).same
    async with app.db.snapshot() as tx:
        [check] = await app.repricing.check(tx)
    assert (check.holds, check.examined) == (False, 2)
    assert str(altered) in check.detail
    assert str(sound) not in check.detail


async def test_the_sample_is_the_latest_and_some_at_random_and_those_that_are_named(
    app: App, clock: ManualClock
) -> None:
    await publish(app, definition([offer("A", 8_000, quota=90)]))
    open_sale(clock)
    crowd = await buyers(app, 12)
    placed = [await _bought(app, each, {"A": 1}) for each in crowd]
    async with app.db.read() as tx:
        named = await app.ordering.sampled(tx, 3, 0, placed[:1])
        assert sorted(each.order_id for each in named) == sorted([placed[0], *sorted(placed)[-3:]])
        assert len(await app.ordering.sampled(tx, 200, 200)) == 12
    async with app.db.transaction() as tx:
        for _ in range(8):
            await tx.execute("update ordering.orders set state = state")
    async with app.db.read() as tx:
        # Old versions fill most pages now; the orders stand on one or two of them.
        assert {len(await app.ordering.sampled(tx, 0, 5)) for _ in range(50)} == {5}


async def test_an_order_that_is_not_there_is_refused(app: App) -> None:
    with pytest.raises(OrderUnknown):
        await _again(app, UUID(int=1))
