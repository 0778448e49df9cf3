"""Pricing on the real database: counters under concurrency, the current rules, old rules."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import psycopg
import pytest

from tests.offer.festivals import START, coupon, definition, limit, offer
from tests.offer.promotions import amount_off, promotion
from tests.offer.promotions import festival as promoted
from tidegate.base.db import Database
from tidegate.offer.campaign.api import Campaign, published_rules
from tidegate.offer.campaign.commands import load_definition
from tidegate.offer.campaign.contracts import AmountOff, CampaignId, Coupon, Promotion, PromotionLimits, Step
from tidegate.offer.campaign.errors import CampaignUnknown, NoCampaign
from tidegate.offer.pricing.api import Pricing, Protected, protect
from tidegate.offer.pricing.contracts import Cart, CartLine, CounterUse, Facts, Shortfall
from tidegate.offer.pricing.errors import PromotionUsedUp

FESTIVAL = Path(__file__).parents[3] / "examples" / "double-eleven" / "festival.toml"


async def counters_of(db: Database) -> dict[str, int]:
    async with db.read() as tx:
        rows = await (await tx.execute("select key, used from pricing.counter")).fetchall()
    return dict(rows)


async def use_now(db: Database, pricing: Pricing, batch: list[tuple[CounterUse, ...]], *, lock: bool = True) -> int:
    """Decide a batch of orders in one transaction, again and under locks if it lost a race; how many were granted."""
    while True:
        try:
            async with db.transaction() as tx:
                read = pricing.lock_counters if lock else pricing.look_at_counters
                counters = await read(tx, {each.key for uses in batch for each in uses})
                granted = sum(counters.try_use(uses) is None for uses in batch)
                await pricing.write_counters(tx, counters)
                return granted
        except (psycopg.errors.UniqueViolation, psycopg.errors.CheckViolation):
            lock = True


async def test_what_is_used_is_written_and_can_be_released(db: Database, pricing: Pricing) -> None:
    first, second = CounterUse("c/coupon:A", 1, 3), CounterUse("c/offer:S:1", 2, 2)
    assert await use_now(db, pricing, [(first, second), (first,), (first, second)]) == 2
    assert await counters_of(db) == {"c/coupon:A": 2, "c/offer:S:1": 2}
    assert await use_now(db, pricing, [(first,), (first,)]) == 1
    async with db.transaction() as tx:
        assert await pricing.release_counters(tx, [first, second, first]) == []
    assert await counters_of(db) == {"c/coupon:A": 1, "c/offer:S:1": 0}


async def test_a_release_never_goes_below_zero_and_says_so(db: Database, pricing: Pricing) -> None:
    await use_now(db, pricing, [(CounterUse("c/coupon:A", 1, 3),)])
    async with db.transaction() as tx:
        uses = [CounterUse("c/coupon:A", 2, 3), CounterUse("c/coupon:B", 1, 3)]
        assert await pricing.release_counters(tx, uses) == ["c/coupon:A", "c/coupon:B"]
        assert await pricing.release_counters(tx, []) == []
    assert await counters_of(db) == {"c/coupon:A": 0}


async def test_orders_that_use_nothing_write_nothing(db: Database, pricing: Pricing) -> None:
    assert await use_now(db, pricing, [()]) == 1
    assert await use_now(db, pricing, [(CounterUse("c/coupon:A", 2, 1),)]) == 0
    assert await counters_of(db) == {}


@pytest.mark.parametrize("lock", [True, False])
async def test_64_buyers_at_once_never_get_beyond_a_cap(db: Database, pricing: Pricing, lock: bool) -> None:
    """Every buyer asks for the same last uses, in another order of keys, several times at once."""
    shared, per_buyer = 40, 2

    async def shop(buyer: int) -> int:
        granted = 0
        for turn in range(3):
            mine = CounterUse(f"c/limit:m:{buyer % 32}", 1, per_buyer)
            both = (CounterUse("c/coupon:A", 1, shared), CounterUse(f"c/offer:S-{(buyer + turn) % 5}", 1, 30), mine)
            granted += await use_now(db, pricing, [both[:: 1 if turn % 2 else -1]], lock=lock)
        return granted

    granted = await asyncio.gather(*(shop(buyer) for buyer in range(64)))
    used = await counters_of(db)
    assert used["c/coupon:A"] == sum(granted) == shared
    assert sum(used.get(f"c/offer:S-{number}", 0) for number in range(5)) == shared
    assert sum(used[key] for key in used if ":m:" in key) == shared
    assert max(used[key] for key in used if ":m:" in key) <= per_buyer


async def test_a_new_key_that_two_make_at_once_is_decided_again(db: Database, pricing: Pricing) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        async with db.transaction() as early:
            one = await pricing.lock_counters(early, ["c/coupon:A"])
            async with db.transaction() as other:
                two = await pricing.lock_counters(other, ["c/coupon:A"])
                assert two.try_use([CounterUse("c/coupon:A", 1, 1)]) is None
                await pricing.write_counters(other, two)
            assert one.try_use([CounterUse("c/coupon:A", 1, 1)]) is None
            await pricing.write_counters(early, one)
    assert await counters_of(db) == {"c/coupon:A": 1}


async def use_what_is_stale(db: Database, pricing: Pricing, use: CounterUse, meanwhile: CounterUse) -> None:
    """Decide by a look, and write after another has used the same counter."""
    async with db.transaction() as early:
        counters = await pricing.look_at_counters(early, [use.key])
        assert counters.try_use([use]) is None
        assert await use_now(db, pricing, [(meanwhile,)]) == 1, "nobody waits for one who only looks"
        await pricing.write_counters(early, counters)


async def test_what_others_used_since_a_look_is_added_to(db: Database, pricing: Pricing) -> None:
    await use_now(db, pricing, [(CounterUse("c/coupon:A", 1, 5),)])
    await use_what_is_stale(db, pricing, CounterUse("c/coupon:A", 2, 5), meanwhile=CounterUse("c/coupon:A", 2, 5))
    assert await counters_of(db) == {"c/coupon:A": 5}


async def test_what_others_used_up_since_a_look_is_not_used_again(db: Database, pricing: Pricing) -> None:
    await use_now(db, pricing, [(CounterUse("c/coupon:A", 1, 4),)])
    with pytest.raises(psycopg.errors.CheckViolation, match="counter_within_cap"):
        await use_what_is_stale(db, pricing, CounterUse("c/coupon:A", 2, 4), meanwhile=CounterUse("c/coupon:A", 2, 4))
    assert await counters_of(db) == {"c/coupon:A": 3}


@pytest.mark.parametrize(("used", "constraint"), [(-1, "counter_never_negative"), (6, "counter_within_cap")])
async def test_the_schema_itself_refuses_a_broken_counter(db: Database, used: int, constraint: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match=constraint):
        async with db.transaction() as tx:
            await tx.execute("insert into pricing.counter (key, used, cap) values ('c/x', %s, 5)", [used])


async def test_rules_follow_the_campaign_and_old_ones_stay(db: Database, campaign: Campaign, pricing: Pricing) -> None:
    with pytest.raises(NoCampaign):
        pricing.price(Cart((CartLine("KTL-1", 1),)))
    assert not pricing.refresh()
    for price in (8_000, 7_000):
        async with db.transaction() as tx:
            await campaign.publish(tx, definition([offer("KTL-1", price)]), "Lin")
            await campaign.refresh(tx)
        assert pricing.refresh()
        assert not pricing.refresh()
    cart = Cart((CartLine("KTL-1", 1),))
    assert (pricing.price(cart).total, pricing.price(cart).rules_version) == (7_000, 2)
    assert (pricing.rules.opens_at, pricing.rules.closes_at.day) == (START, 14)
    async with db.read() as tx:
        old = await pricing.rules_of(tx, CampaignId("double-11"), 1)
        assert old.offers["KTL-1"].unit_price == 8_000
        assert await pricing.rules_of(tx, CampaignId("double-11"), 2) is pricing.rules
        with pytest.raises(CampaignUnknown):
            await pricing.rules_of(tx, CampaignId("double-11"), 3)
        assert all(check.holds for check in await pricing.check(tx))


async def test_page_and_engine_agree(db: Database, campaign: Campaign, pricing: Pricing) -> None:
    """Every price, coupon and limit of the example's published rules is what the engine charges."""
    example = load_definition(FESTIVAL, now=datetime(2026, 11, 1, tzinfo=UTC))
    async with db.transaction() as tx:
        page = published_rules(await campaign.publish(tx, example, "Lin"))
        await campaign.refresh(tx)
    pricing.refresh()
    buyer = UUID(int=1)
    for terms in page.offers:
        order = pricing.price(Cart((CartLine(terms.sku, 1),)), Facts(buyer=buyer))
        assert (order.goods_total, order.lines[0].list_price) == (terms.price, terms.list_price)
        caps = {each.key.split("/")[1].rsplit(":", 1)[0]: each.cap for each in order.counters}
        assert caps.get(f"offer:{terms.sku}", 0) == terms.per_buyer
        limits = {each.name: each.per_buyer for each in page.limits if not each.skus or terms.sku in each.skus}
        assert {key.removeprefix("limit:"): cap for key, cap in caps.items() if key.startswith("limit:")} == limits
        fee = page.shipping.fee if terms.price < (page.shipping.free_from or 0) else 0
        assert order.shipping == fee
    for each in page.coupons:
        rule = pricing.rules.coupons[each.code]
        assert (rule.threshold, rule.off, rule.quota, rule.per_buyer) == (
            each.threshold,
            each.off,
            each.quota,
            each.per_buyer,
        )


async def test_two_codes_of_one_buyer_race_for_the_last_use(db: Database, campaign: Campaign, pricing: Pricing) -> None:
    festival = definition(
        [offer("KTL-1")],
        coupons=[coupon("ONE", 8_000, 100, quota=1), coupon("TWO", 8_000, 100, quota=5, per_buyer=1)],
        limits=[limit("all", per_buyer=1)],
    )
    async with db.transaction() as tx:
        await campaign.publish(tx, festival, "Lin")
        await campaign.refresh(tx)
    pricing.refresh()
    orders = [
        pricing.price(Cart((CartLine("KTL-1", 1),), code), Facts(buyer=UUID(int=9))).counters
        for code in ("ONE", "TWO") * 8
    ]
    granted = await asyncio.gather(*(use_now(db, pricing, [uses]) for uses in orders))
    assert sum(granted) == 1


async def publish(
    db: Database, campaign: Campaign, pricing: Pricing, listed: list[Promotion], coupons: Sequence[Coupon] = ()
) -> None:
    """Publish a festival of one kettle with these promotions."""
    async with db.transaction() as tx:
        festival = msgspec.structs.replace(promoted({"KTL-1": 8_000}, listed), coupons=tuple(coupons))
        await campaign.publish(tx, festival, "Lin")
        await campaign.refresh(tx)
    pricing.refresh()


async def test_64_buyers_never_get_beyond_limits_nor_budget(db: Database, campaign: Campaign, pricing: Pricing) -> None:
    """Every buyer orders three times at once, each order with another amount off: not one cent more than the budget."""
    limits = PromotionLimits(budget=100_003, total=90, per_account=2, per_period=2, period_days=1)
    await publish(
        db, campaign, pricing, [promotion("p", AmountOff(steps=(Step(8_000, 777),), every=True), limits=limits)]
    )
    taken_off = 0

    async def shop(buyer: int) -> int:
        nonlocal taken_off
        granted = 0
        for turn in range(3):
            facts = Facts(buyer=UUID(int=buyer), now=START)
            order = pricing.price(Cart((CartLine("KTL-1", 1 + (buyer + turn) % 4),)), facts)
            if order.reductions and await use_now(db, pricing, [order.counters]):
                granted += 1
                taken_off += order.discount_total
        return granted

    granted = await asyncio.gather(*(shop(buyer) for buyer in range(64)))
    used = await counters_of(db)
    assert used["double-11/budget:p"] == taken_off <= 100_003
    assert used["double-11/promotion:p"] == sum(granted) <= 90
    assert 100_003 - taken_off < 777 * 4 or sum(granted) == 90
    assert max(granted) <= 2
    async with db.read() as tx:
        assert all(check.holds for check in await pricing.check(tx))


async def test_two_codes_of_one_promotion_race_for_a_shared_last_use(
    db: Database, campaign: Campaign, pricing: Pricing
) -> None:
    """Codes of one template open one promotion; its last use is shared by all of them, whichever code is shown."""
    listed = [promotion("p", amount_off(8_000, 500), coupon="SHARED", limits=PromotionLimits(total=1))]
    await publish(db, campaign, pricing, listed, [coupon("SHARED", 8_000, 1)])
    cart = Cart((CartLine("KTL-1", 1),))
    orders = [pricing.price(cart, Facts(buyer=UUID(int=n), now=START, coupons=("SHARED",))).counters for n in range(64)]
    granted = await asyncio.gather(*(use_now(db, pricing, [uses]) for uses in orders))
    assert sum(granted) == 1


async def test_what_is_used_up_is_not_in_the_next_price_until_it_is_given_back(
    db: Database, campaign: Campaign, pricing: Pricing
) -> None:
    await publish(db, campaign, pricing, [promotion("p", amount_off(8_000, 500), limits=PromotionLimits(budget=700))])
    cart, facts = Cart((CartLine("KTL-1", 1),)), Facts(buyer=UUID(int=1), now=START)
    uses = pricing.price(cart, facts).counters
    assert await use_now(db, pricing, [uses]) == 1
    assert await use_now(db, pricing, [uses]) == 0
    refusal = pricing.refusal_of(uses[0])
    assert isinstance(refusal, PromotionUsedUp)
    assert refusal.fields == {"promotion": "p"}
    assert pricing.price(cart, facts).discount_total == 0
    async with db.transaction() as tx:
        await pricing.refresh_left(tx)
    assert pricing.price(cart, facts).discount_total == 0  # 200 are left of the budget, and 500 are needed
    assert [each.reason for each in pricing.explain(cart, facts).not_applied] == [Shortfall.EXHAUSTED]
    async with db.transaction() as tx:
        await pricing.release_counters(tx, uses)
    assert pricing.price(cart, facts).discount_total == 500


async def test_price_protection_compares_what_was_paid_with_today(
    db: Database, campaign: Campaign, pricing: Pricing
) -> None:
    await publish(db, campaign, pricing, [promotion("p", amount_off(8_000, 300))])
    order = pricing.price(Cart((CartLine("KTL-1", 3),)), Facts(now=START))
    await publish(db, campaign, pricing, [promotion("p", amount_off(8_000, 1_000))])
    now = pricing.today(order, None, {"KTL-1": 1}, Facts(now=START))
    assert now is not None
    compared = protect(order, now, {"KTL-1": 1})
    assert compared == (Protected("KTL-1", 1, 2, 15_800, 15_000),)
    assert compared[0].refund == 800
    assert pricing.today(order, None, {"KTL-1": 3}, Facts(now=START)) is None
