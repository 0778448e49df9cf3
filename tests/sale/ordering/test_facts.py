"""Promotions for some shoppers: goods page, quote and order know the same of a buyer, and all gifts that are gone."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import msgspec
import pytest

from tests.offer.festivals import definition, goods, offer
from tests.sale.ordering.test_life import paid
from tests.sale.shop import Buyer, broken, buyers, open_sale, order, publish
from tidegate.app.acquaintance import KNOWN_SECONDS
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.base.metrics import batch_size
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Audience,
    CampaignDefinition,
    Gift,
    MemberPrice,
    Promotion,
    Selection,
    Step,
    Words,
)
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts, PricedOrder
from tidegate.sale.ordering.contracts import Placed
from tidegate.sale.ordering.errors import PriceChanged

_ALL = Selection(skus=("A",))


def _off(name: str, amount: int, **terms: object) -> Promotion:
    whole = Promotion(
        id=name,
        label=Words("减", "Off"),
        benefit=AmountOff(steps=(Step(5_000, amount),)),
        goods=_ALL,
    )
    return msgspec.structs.replace(whole, **terms)


def _festival(*promotions: Promotion, gift_quota: int = 10) -> CampaignDefinition:
    offers = [offer("A", quota=400), offer("B", quota=400), offer("GIFT", quota=gift_quota)]
    plain = definition(offers, entries=[goods("A"), goods("B"), goods("GIFT", 9_000)])
    return msgspec.structs.replace(plain, promotions=promotions, rules=Words("减：见条件。", "Off: as stated."))


async def _is(app: App, account: UUID, *, tier: str = "", segment: str = "") -> None:
    """Simulated shoppers have no telephone that an import could name: they are made members by their blind index."""
    async with app.db.transaction() as tx:
        if tier:
            await tx.execute(
                "insert into identity.member (phone_index, tier, set_at)"
                " select phone_index, %s, now() from identity.account where account_id = %s",
                [tier, account],
            )
        if segment:
            await tx.execute(
                "insert into identity.segment (phone_index, segment)"
                " select phone_index, %s from identity.account where account_id = %s",
                [segment, account],
            )


async def _quoted(app: App, buyer: UUID | None, sku: str = "A") -> PricedOrder:
    cart = Cart((CartLine(sku, 1),))
    return app.pricing.price(cart, await app.pricing.facts_of(cart, buyer, app.clock.now()))


async def _buy(app: App, buyer: Buyer, total: int, key: str = "facts-key-1", sku: str = "A") -> Placed:
    return await app.ordering.place(buyer.account_id, key, order(buyer, {sku: 1}, total))


_CASES: Sequence[tuple[Promotion, tuple[int, int, int, int]]] = (
    (_off("new", 1_000, audience=(Audience.NEW,)), (7_000, 8_000, 7_000, 7_000)),
    (_off("back", 1_000, audience=(Audience.RETURNING,)), (8_000, 7_000, 8_000, 8_000)),
    (_off("members", 1_000, audience=(Audience.MEMBERS,)), (8_000, 8_000, 7_000, 8_000)),
    (_off("gold", 1_000, tiers=("gold",)), (8_000, 8_000, 7_000, 8_000)),
    (_off("silver", 1_000, tiers=("silver",)), (8_000, 8_000, 8_000, 8_000)),
    (
        _off(
            "tea",
            1_000,
            segments=("tea",),
            condition='"new" in audience',
            facts=("audience",),
            condition_words=Words("茶友会的新客", "new members of the tea club"),
        ),
        (8_000, 8_000, 8_000, 7_000),
    ),
    (
        _off(
            "cel",
            1_000,
            audience=(Audience.NEW, Audience.MEMBERS),
            condition='tier == "gold" || "tea" in segments',
            facts=("segments", "tier"),
            condition_words=Words("金卡会员或茶友中的新客", "gold members, and new shoppers who drink tea"),
        ),
        (8_000, 8_000, 7_000, 7_000),
    ),
    (
        Promotion(
            id="price",
            label=Words("会员价", "Member price"),
            benefit=MemberPrice(prices=(("A", 6_500),)),
            audience=(Audience.MEMBERS,),
        ),
        (8_000, 8_000, 6_500, 8_000),
    ),
)


@pytest.mark.parametrize(("promotion", "totals"), _CASES, ids=[each.id for each, _ in _CASES])
async def test_a_buyer_orders_at_the_price_that_was_quoted(
    shop: App, promotion: Promotion, totals: tuple[int, int, int, int]
) -> None:
    await publish(shop, _festival(promotion))
    fresh, regular, member, drinker = people = await buyers(shop, 4)
    await paid(shop, regular, {"B": 1}, 8_000)
    await _is(shop, member.account_id, tier="gold")
    await _is(shop, drinker.account_id, segment="tea")
    assert tuple([(await _quoted(shop, each.account_id)).total for each in people]) == totals
    assert (await _quoted(shop, None)).total == 8_000  # of a guest nothing is known
    for buyer, total in zip(people, totals, strict=True):
        with pytest.raises(PriceChanged) as refused:
            await _buy(shop, buyer, 15_000 - total)  # what others pay
        assert refused.value.fields["total"] == total
        placed = await _buy(shop, buyer, total)
        assert placed.total == total
        async with shop.db.read() as tx:
            kept = await shop.ordering.order(tx, placed.order_id, buyer.account_id)
        cart, facts = Cart((CartLine("A", 1),)), kept.priced.facts
        assert facts is not None
        assert shop.pricing.price(cart, facts).trace_hash == kept.priced.trace_hash  # to the cent from what it keeps
    assert (await _buy(shop, fresh, totals[0])).total == totals[0]
    assert await broken(shop) == []


async def test_an_order_repeated_after_it_made_its_buyer_a_returning_one_is_answered_as_before(
    shop: App, clock: ManualClock
) -> None:
    await publish(shop, _festival(_off("new", 1_000, audience=(Audience.NEW,))))
    [buyer] = await buyers(shop, 1)
    order_id = await paid(shop, buyer, {"A": 1}, 7_000)
    clock.advance(seconds=KNOWN_SECONDS)
    assert (await _quoted(shop, buyer.account_id)).total == 8_000
    again = await shop.ordering.place(buyer.account_id, "life-key-1", order(buyer, {"A": 1}, 7_000))
    assert again.order_id == order_id


async def test_who_the_buyers_are_is_read_for_many_at_once_and_only_where_it_matters(
    app: App, clock: ManualClock
) -> None:
    await publish(app, _festival(_off("new", 1_000, audience=(Audience.NEW,))))
    open_sale(clock)
    crowd = await buyers(app, 64)
    batches, read = _batches(), _read()
    await asyncio.gather(*[_buy(app, each, 8_000, sku="B") for each in crowd])
    assert (_batches(), _read()) == (batches, read)
    await asyncio.gather(*[_buy(app, each, 7_000, "facts-key-2") for each in crowd])
    assert _read() - read == 64
    assert _batches() - batches <= 4
    assert await broken(app) == []


def _batches() -> float:
    return _sample("_count")


def _read() -> float:
    return _sample("_sum")


def _sample(end: str) -> float:
    samples = [sample for metric in batch_size.collect() for sample in metric.samples]
    return sum(each.value for each in samples if each.labels["lane"] == "shopper" and each.name.endswith(end))


async def test_a_gift_that_is_gone_is_not_promised_any_more(app: App, clock: ManualClock) -> None:
    gift = Promotion(
        id="gift",
        label=Words("赠", "Gift"),
        benefit=Gift(sku="GIFT", reach=100),
        goods=_ALL,
    )
    await publish(app, _festival(gift, gift_quota=1))
    open_sale(clock)
    first, second, third = await buyers(app, 3)
    cart = Cart((CartLine("A", 1),))
    before = app.pricing.price(cart, Facts(now=clock.now()))
    assert [each.sku for each in before.gifts] == ["GIFT"]
    first_order = await _buy(app, first, before.total)
    # Not heard of yet: the order is taken at the price that was shown, without the gift.
    late = await _buy(app, second, before.total)
    assert (first_order.gifts_left_off, late.gifts_left_off) == ((), ("GIFT",))
    async with app.db.read() as tx:
        assert (await app.ordering.order(tx, late.order_id)).priced.gifts_left_off == ("GIFT",)
    again = await _buy(app, second, before.total)
    assert again == late
    await app.refresh()
    assert (await _quoted(app, third.account_id)).gifts == ()
    trace = app.pricing.explain(cart, Facts(now=clock.now()))
    assert [(each.promotion, str(each.reason)) for each in trace.not_applied] == [("gift", "gift_out")]
    # A page that was opened before still shows it: the order says that it is gone, and one without it says nothing.
    shown = msgspec.structs.replace(order(third, {"A": 1}, before.total), expected_gifts=("GIFT", "A"))
    told = await app.ordering.place(third.account_id, "facts-key-9", shown)
    assert (told.total, told.gifts_left_off) == (before.total, ("GIFT",))
    plain = await _buy(app, third, before.total)
    assert (plain.total, plain.gifts_left_off) == (before.total, ())
    assert await broken(app) == []
    async with app.db.transaction() as tx:
        await app.ordering.cancel(tx, first_order.order_id, first.account_id)
    await app.refresh()
    assert [each.sku for each in (await _quoted(app, third.account_id)).gifts] == ["GIFT"]
