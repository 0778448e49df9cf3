"""Placing an order: taken durably and once, or refused and nothing changed."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from tests.offer.festivals import START, coupon, definition, goods, limit, offer
from tests.sale.shop import Buyer, broken, buyers, levels, open_sale, order, publish
from tidegate.app.compose import App, compose
from tidegate.base.batch import Overloaded
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.db import Tx
from tidegate.base.errors import Refusal
from tidegate.base.ids import Ids
from tidegate.offer.pricing.api import Counters
from tidegate.offer.pricing.errors import BuyerLimitReached, CouponUsedUp, UnknownGoods
from tidegate.sale.ordering.contracts import OrderState, Placed
from tidegate.sale.ordering.errors import (
    AddressUnknown,
    KeyMalformed,
    KeyReused,
    OrderDenied,
    PriceChanged,
    SaleNotOpen,
)
from tidegate.sale.ordering.station import OrderFacts, RiskStation, Verdict
from tidegate.sale.stock.contracts import StockLedger
from tidegate.sale.stock.errors import SoldOut

KEY = "key-00000001"


async def count_orders(app: App) -> int:
    async with app.db.read() as tx:
        row = await (await tx.execute("select count(*) from ordering.orders")).fetchone()
        assert row is not None
        return int(row[0])


async def test_an_order_is_durable_holds_its_units_and_can_be_paid(app: App, clock: ManualClock) -> None:
    festival = await publish(app, definition([offer("A", 8_000, quota=10), offer("B", 500, quota=5)]))
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    placed = await app.ordering.place(buyer.account_id, KEY, order(buyer, {"A": 2, "B": 1}, 16_500))
    assert (placed.state, placed.total, placed.currency) == (OrderState.PLACED, 16_500, "CNY")
    assert placed.expires_at - placed.placed_at == timedelta(minutes=15)
    stock = await levels(app, festival.id, ["A", "B"])
    assert (stock["A"].held, stock["A"].free, stock["B"].held) == (2, 8, 1)
    async with app.db.read() as tx:
        kept = await app.ordering.order(tx, placed.order_id, buyer.account_id)
        payment = await app.payment.view(tx, placed.order_id)
    assert [(line.sku, line.quantity, line.payable) for line in kept.priced.lines] == [("A", 2, 16_000), ("B", 1, 500)]
    assert (payment.amount, payment.state) == (16_500, "open")
    assert await broken(app) == []


async def test_the_same_key_gives_the_same_answer_for_ever(app: App, clock: ManualClock) -> None:
    await publish(app)
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    command = order(buyer, {"KTL-1": 1}, 8_000)
    first = await app.ordering.place(buyer.account_id, KEY, command)
    clock.advance(seconds=5)
    assert await app.ordering.place(buyer.account_id, KEY, command) == first
    clock.advance(seconds=90 * 24 * 3600)  # the sale is long over
    assert await app.ordering.place(buyer.account_id, KEY, command) == first
    assert await count_orders(app) == 1


async def test_the_same_key_at_the_same_moment_makes_one_order(app: App, clock: ManualClock) -> None:
    await publish(app)
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    command = order(buyer, {"KTL-1": 1}, 8_000)
    answers = await asyncio.gather(*[app.ordering.place(buyer.account_id, KEY, command) for _ in range(40)])
    assert len(set(answers)) == 1
    assert await count_orders(app) == 1


async def test_two_processes_racing_with_one_key_make_one_order(app: App, clock: ManualClock, ids: Ids) -> None:
    await publish(app)
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    other = compose(app.config, clock=clock, ids=ids)
    await other.open()
    command = order(buyer, {"KTL-1": 1}, 8_000)
    for number in range(10):
        key = f"racing-key-{number}"
        answers = await asyncio.gather(*[each.ordering.place(buyer.account_id, key, command) for each in (app, other)])
        assert answers[0] == answers[1]
    await other.close()
    assert await count_orders(app) == 10
    assert await broken(app) == []


async def test_a_key_with_another_body_is_refused(app: App, clock: ManualClock) -> None:
    await publish(app)
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    await app.ordering.place(buyer.account_id, KEY, order(buyer, {"KTL-1": 1}, 8_000))
    with pytest.raises(KeyReused):
        await app.ordering.place(buyer.account_id, KEY, order(buyer, {"KTL-1": 2}, 16_000))
    with pytest.raises(KeyReused):
        await app.ordering.place(buyer.account_id, KEY, order(buyer, {"KTL-1": 2}, 1))
    assert await count_orders(app) == 1


async def test_two_buyers_may_use_the_same_key(app: App, clock: ManualClock) -> None:
    await publish(app)
    open_sale(clock)
    one, two = await buyers(app, 2)
    first = await app.ordering.place(one.account_id, KEY, order(one, {"KTL-1": 1}, 8_000))
    second = await app.ordering.place(two.account_id, KEY, order(two, {"KTL-1": 1}, 8_000))
    assert first.order_id != second.order_id


class Wary:
    """A risk station that lets one buyer's orders through only while it trusts him."""

    def __init__(self) -> None:
        self.distrusted: UUID | None = None
        self.asked: list[OrderFacts] = []

    async def judge(self, facts: Sequence[OrderFacts]) -> Sequence[Verdict]:
        """Deny the distrusted buyer, allow all others."""
        self.asked += facts
        return [Verdict.DENY if each.buyer_id == self.distrusted else Verdict.ALLOW for each in facts]


@asynccontextmanager
async def composed(config: Config, clock: ManualClock, ids: Ids, station: RiskStation) -> AsyncIterator[App]:
    """The application with a risk station."""
    app = compose(config, clock=clock, ids=ids, risk=station)
    await app.cache.client.flushall()
    await app.open()
    yield app
    await app.close()


async def test_the_risk_station_denies_an_order_and_lets_those_beside_it_through(
    config: Config, clock: ManualClock, ids: Ids
) -> None:
    station = Wary()
    async with composed(config, clock, ids, station) as app:
        festival = await publish(app, definition([offer("A", quota=10)], coupons=[coupon("TIDE50", 8_000, 100)]))
        open_sale(clock)
        honest, crook = await buyers(app, 2)
        station.distrusted = crook.account_id
        placing = (
            app.ordering.place(each.account_id, KEY, order(each, {"A": 2}, 15_900, "TIDE50"))
            for each in (crook, honest)
        )
        denied, placed = await asyncio.gather(*placing, return_exceptions=True)
        assert isinstance(denied, OrderDenied)
        assert (denied.status, "Nothing was ordered" in denied.detail) == (403, True)
        assert isinstance(placed, Placed)
        assert {(each.buyer_id, each.total, each.units) for each in station.asked} == {
            (crook.account_id, 15_900, 1),
            (honest.account_id, 15_900, 1),
        }
        # Nothing of his is there: no order, no unit, no use of the coupon, no payment.
        assert (await count_orders(app), (await levels(app, festival.id, ["A"]))["A"].held) == (1, 2)
        async with app.db.read() as tx:
            assert await app.ordering.orders_of(tx, crook.account_id) == []
        assert await broken(app) == []


async def test_an_order_stays_the_answer_to_its_key_though_its_buyer_is_distrusted_by_now(
    config: Config, clock: ManualClock, ids: Ids
) -> None:
    station = Wary()
    async with composed(config, clock, ids, station) as app:
        await publish(app)
        open_sale(clock)
        [buyer] = await buyers(app, 1)
        command = order(buyer, {"KTL-1": 1}, 8_000)
        placed = await app.ordering.place(buyer.account_id, KEY, command)
        station.distrusted = buyer.account_id
        assert await app.ordering.place(buyer.account_id, KEY, command) == placed
        with pytest.raises(OrderDenied):
            await app.ordering.place(buyer.account_id, "another-key", command)
        assert await count_orders(app) == 1


async def test_sold_out_says_so_at_once_and_changes_nothing(app: App, clock: ManualClock) -> None:
    festival = await publish(app, definition([offer("A", quota=3), offer("B", quota=10)]))
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    with pytest.raises(SoldOut) as refused:
        await app.ordering.place(buyer.account_id, KEY, order(buyer, {"A": 4, "B": 1}, 40_000))
    assert refused.value.fields == {"sku": "A", "left": 3}
    stock = await levels(app, festival.id, ["A", "B"])
    assert (stock["A"].held, stock["B"].held, await count_orders(app)) == (0, 0, 0)
    async with app.db.read() as tx:
        row = await (
            await tx.execute("select count(*) from base.outbox where events::text like '%OrderPlaced%'")
        ).fetchone()
    assert row == (0,)


async def test_units_that_go_between_looking_and_writing_are_not_sold(
    app: App, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    festival = await publish(app, definition([offer("A", quota=100)]))
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    look = app.stock.look

    async def emptied_meanwhile(tx: Tx, campaign_id: str, skus: Collection[str]) -> StockLedger:
        ledger = await look(tx, campaign_id, skus)
        async with app.db.transaction() as other:
            await app.stock.set_quotas(other, campaign_id, {"A": 0})
        return ledger

    monkeypatch.setattr(app.stock, "look", emptied_meanwhile)
    with pytest.raises(SoldOut) as refused:
        await app.ordering.place(buyer.account_id, KEY, order(buyer, {"A": 1}, 8_000))
    assert refused.value.fields == {"sku": "A", "left": 0}
    assert (await levels(app, festival.id, ["A"]))["A"].held == await count_orders(app) == 0
    assert await broken(app) == []


@pytest.mark.parametrize("units", [10, 500])
async def test_a_thousand_wishes_sell_exactly_the_units_there_are(
    app: App, clock: ManualClock, ids: Ids, units: int
) -> None:
    festival = await publish(app, definition([offer("HOT", quota=units)]))
    open_sale(clock)
    crowd = await buyers(app, 200)
    other = compose(app.config, clock=clock, ids=ids)
    await other.open()

    async def wish(number: int, buyer: Buyer) -> Placed | Refusal:
        """Ask until there is an answer: on a busy machine the lane gives up what waits too long, as it should."""
        place = (app, other)[number % 2].ordering.place
        while True:
            try:
                return await place(buyer.account_id, f"wish-{number:06d}", order(buyer, {"HOT": 1}, 8_000))
            except Overloaded:
                await asyncio.sleep(0.01)
            except Refusal as refusal:
                return refusal

    async with asyncio.timeout(120):
        answers = await asyncio.gather(*[wish(number, crowd[number % 200]) for number in range(1000)])
    await other.close()
    assert sum(isinstance(answer, Placed) for answer in answers) == units
    assert all(isinstance(answer, Placed | SoldOut) for answer in answers)
    assert (await levels(app, festival.id, ["HOT"]))["HOT"].free == 0
    assert await broken(app) == []


async def test_a_limit_holds_across_orders_and_goods_and_is_given_back(app: App, clock: ManualClock) -> None:
    await publish(app, definition([offer("A"), offer("B")], limits=[limit("duo", ["A", "B"], per_buyer=3)]))
    open_sale(clock)
    [buyer] = await buyers(app, 1)

    async def place(key: str, lines: dict[str, int]) -> Placed:
        return await app.ordering.place(buyer.account_id, key, order(buyer, lines, 8_000 * sum(lines.values())))

    first = await place("limit-key-1", {"A": 2})
    with pytest.raises(BuyerLimitReached):
        await place("limit-key-2", {"B": 2})
    await place("limit-key-3", {"B": 1})
    async with app.db.transaction() as tx:
        await app.ordering.cancel(tx, first.order_id, buyer.account_id)
    await place("limit-key-4", {"B": 2})
    assert await broken(app) == []


async def test_one_buyers_orders_at_the_same_moment_keep_the_limit(app: App, clock: ManualClock) -> None:
    await publish(app, definition([offer("A", per_buyer=2)]))
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    wishes = [
        app.ordering.place(buyer.account_id, f"same-buyer-{number}", order(buyer, {"A": 1}, 8_000))
        for number in range(30)
    ]
    answers = await asyncio.gather(*wishes, return_exceptions=True)
    assert sum(isinstance(answer, Placed) for answer in answers) == 2
    assert sum(isinstance(answer, BuyerLimitReached) for answer in answers) == 28


async def test_the_last_use_of_a_coupon_goes_to_one(app: App, clock: ManualClock) -> None:
    await publish(
        app, definition([offer("A", 30_000)], entries=[goods("A", 40_000)], coupons=[coupon("LAST", quota=1)])
    )
    open_sale(clock)
    crowd = await buyers(app, 20)
    wishes = [
        app.ordering.place(each.account_id, f"coupon-{number:04d}", order(each, {"A": 1}, 25_000, "LAST"))
        for number, each in enumerate(crowd)
    ]
    answers = await asyncio.gather(*wishes, return_exceptions=True)
    assert sum(isinstance(answer, Placed) for answer in answers) == 1
    assert sum(isinstance(answer, CouponUsedUp) for answer in answers) == 19


async def test_a_use_that_others_had_meanwhile_is_decided_again_under_locks(
    app: App, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(
        app, definition([offer("A", 30_000)], entries=[goods("A", 40_000)], coupons=[coupon("LAST", quota=2)])
    )
    open_sale(clock)
    first, late, plain = await buyers(app, 3)
    look, looks = app.pricing.look_at_counters, 0

    async def used_meanwhile(tx: Tx, keys: Collection[str]) -> Counters:
        nonlocal looks
        looks += 1
        seen = await look(tx, keys)
        async with app.db.transaction() as other:
            await other.execute("update pricing.counter set used = 2 where key like '%/coupon:LAST'")
        return seen

    await app.ordering.place(first.account_id, "meanwhile-1", order(first, {"A": 1}, 25_000, "LAST"))
    monkeypatch.setattr(app.pricing, "look_at_counters", used_meanwhile)
    answers = await asyncio.gather(
        app.ordering.place(late.account_id, "meanwhile-2", order(late, {"A": 1}, 25_000, "LAST")),
        app.ordering.place(plain.account_id, "meanwhile-3", order(plain, {"A": 1}, 30_000)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [CouponUsedUp, Placed], "and whoever came with it is not refused"
    assert looks == 1, "decided again under locks"
    assert await count_orders(app) == 2


async def test_another_price_than_the_one_shown_is_refused(app: App, clock: ManualClock) -> None:
    await publish(app)
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    with pytest.raises(PriceChanged) as refused:
        await app.ordering.place(buyer.account_id, KEY, order(buyer, {"KTL-1": 1}, 7_999))
    assert refused.value.fields == {"total": 8_000, "expected_total": 7_999}
    assert await count_orders(app) == 0


async def test_before_the_opening_and_after_the_end_nothing_is_sold(app: App, clock: ManualClock) -> None:
    await publish(app)
    [buyer] = await buyers(app, 1)
    with pytest.raises(SaleNotOpen) as early:
        await app.ordering.place(buyer.account_id, KEY, order(buyer, {"KTL-1": 1}, 8_000))
    assert early.value.fields["opens_at"] == START
    clock.advance(seconds=5 * 24 * 3600)
    with pytest.raises(SaleNotOpen):
        await app.ordering.place(buyer.account_id, KEY, order(buyer, {"KTL-1": 1}, 8_000))
    assert await count_orders(app) == 0


async def test_somebody_elses_address_is_refused(app: App, clock: ManualClock) -> None:
    await publish(app)
    open_sale(clock)
    one, two = await buyers(app, 2)
    with pytest.raises(AddressUnknown):
        await app.ordering.place(one.account_id, KEY, order(two, {"KTL-1": 1}, 8_000))
    assert await count_orders(app) == 0


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "with space!", "schlüssel-1234"])
async def test_a_malformed_key_is_refused(app: App, clock: ManualClock, key: str) -> None:
    await publish(app)
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    with pytest.raises(KeyMalformed):
        await app.ordering.place(buyer.account_id, key, order(buyer, {"KTL-1": 1}, 8_000))


async def test_unknown_goods_are_refused(app: App, clock: ManualClock) -> None:
    await publish(app)
    open_sale(clock)
    [buyer] = await buyers(app, 1)
    with pytest.raises(UnknownGoods):
        await app.ordering.place(buyer.account_id, KEY, order(buyer, {"NONE": 1}, 8_000))
