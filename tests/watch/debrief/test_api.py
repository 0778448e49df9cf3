"""The debrief from real books: a small sale whose figures were worked out by hand."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from tests.offer.festivals import START, definition, offer
from tests.sale.ordering.conftest import harbour, lantern, shop, two_channels
from tests.sale.shop import Buyer, buyers, order, publish

from tidegate.app.compose import App
from tidegate.app.demo.wiring import debriefing_of
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import Goal, GoalKind, GoalUnit
from tidegate.watch.debrief.contracts import Debrief, SaleSpan
from tidegate.watch.debrief.errors import NothingToDebrief
from tidegate.watch.rehearsal.contracts import FloodReport, Latency

__all__ = ["harbour", "lantern", "shop", "two_channels"]

FIRST = START + timedelta(seconds=60)
GOALS = (
    Goal(kind=GoalKind.GMV, target=17_000, unit=GoalUnit.MONEY, at_least=True),
    Goal(kind=GoalKind.CONVERSION, target=2_000, unit=GoalUnit.BASIS_POINTS, at_least=True),
)


async def deliver(app: App) -> None:
    while not await app.outbox.drained(app.db):
        for name in app.outbox.subscribers:
            await app.outbox.deliver(app.db, name)


async def bought(app: App, buyer: Buyer, sku: str, total: int, key: str, *, pays: bool) -> None:
    placed = await app.ordering.place(buyer.account_id, key, order(buyer, {sku: 1}, total))
    if pays:
        await app.payment.pay(placed.order_id, buyer.account_id)
    else:
        async with app.db.transaction() as tx:
            await app.ordering.cancel(tx, placed.order_id, buyer.account_id)
    await deliver(app)


@pytest.fixture
async def sold(shop: App, clock: ManualClock) -> App:
    """Second 0: A for 80.00, paid. Second 3: A and B for 80.00 and 90.00, A paid, B cancelled. A had two units."""
    sale = definition([offer("A", 8_000, quota=2), offer("B", 9_000)])
    await publish(shop, msgspec.structs.replace(sale, goals=GOALS))
    one, two = await buyers(shop, 2)
    await bought(shop, one, "A", 8_000, "debrief-1", pays=True)
    clock.advance(seconds=3)
    await bought(shop, one, "A", 8_000, "debrief-2", pays=True)
    await bought(shop, two, "B", 9_000, "debrief-3", pays=False)
    clock.advance(seconds=600)
    return shop


async def made(app: App, flood: FloodReport | None = None) -> Debrief:
    debriefing = debriefing_of(app)
    async with app.db.snapshot() as tx:
        return await debriefing.debrief(tx, await debriefing.version(tx), flood=flood)


async def test_orders_span_by_span(sold: App) -> None:
    facts = (await made(sold)).facts
    assert (facts.started_at, facts.ended_at, facts.span_seconds) == (FIRST, FIRST + timedelta(seconds=4), 1)
    assert facts.sales == (
        SaleSpan(at=FIRST, placed=1, placed_value=8_000, paid=1, paid_value=8_000),
        SaleSpan(at=FIRST + timedelta(seconds=1)),
        SaleSpan(at=FIRST + timedelta(seconds=2)),
        SaleSpan(at=FIRST + timedelta(seconds=3), placed=2, placed_value=17_000, paid=1, paid_value=8_000, cancelled=1),
    )
    assert (facts.buyers, facts.opened_at) == (1, START)


async def test_payments_and_what_sold_out(sold: App) -> None:
    debrief = await made(sold)
    payments = debrief.facts.payments
    assert (payments.tried, payments.captured, payments.captured_value, payments.refunded_value) == (2, 2, 16_000, 0)
    assert sum(channel.captured for channel in debrief.channels) == 2
    assert debrief.outages == ()
    [gone] = debrief.facts.sold_out
    assert (gone.sku, gone.name_en, gone.units, gone.at) == ("A", "Goods A", 2, FIRST + timedelta(seconds=3))


async def test_goals_and_a_flood_of_the_same_time(sold: App) -> None:
    flood = FloodReport(
        shoppers=4,
        seconds=10,
        started_at=FIRST,
        ended_at=FIRST + timedelta(seconds=10),
        latencies=(Latency(name="order", requests=3, failures=0, histogram={10: 2, 30: 1}),),
        outcomes={},
        journal="",
    )
    debrief = await made(sold, flood)
    # 16,000 of 17,000; one of four visitors paid: 25 %
    assert [(each.result, each.met) for each in debrief.goals] == [(16_000, False), (2_500, True)]
    assert [(each.p50, each.p99) for each in debrief.facts.latencies] == [(10, 30)]
    other = msgspec.structs.replace(flood, started_at=FIRST - timedelta(days=2), ended_at=FIRST - timedelta(days=1))
    assert (await made(sold, other)).facts.visitors is None


async def test_nothing_published_is_said(app: App) -> None:
    async with app.db.snapshot() as tx:
        with pytest.raises(NothingToDebrief):
            await debriefing_of(app).version(tx)


async def test_a_festival_without_orders_has_a_debrief_too(app: App) -> None:
    await publish(app)
    debrief = await made(app)
    assert (debrief.totals.placed, debrief.facts.sales, debrief.holds) == (0, (), True)
    assert debrief.made_at == datetime(2026, 11, 10, 12, tzinfo=UTC)
