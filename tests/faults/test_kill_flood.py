"""Kill -9 of every part at random moments of a flood: nothing promised is lost, nothing is sold or charged twice."""

import asyncio
import os
import random
import time
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest

from tests.faults.flood import HOT, HOT_UNITS, PRICE, Flood, Journal, channel_totals, kill, open_shop, settings
from tidegate.app.compose import App, opened
from tidegate.app.supervisor import Supervisor, festival
from tidegate.sale.ordering.contracts import OrderFilter, OrderState

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flood")]

VICTIMS = ("web worker", "worker", "postgres", "valkey", "harbour", "web")
KILLS = 9
LANES = 24
SHOPPERS = 300
DRAIN_SECONDS = 45
PAID = (OrderState.PAID, OrderState.REFUNDING, OrderState.REFUNDED)


async def test_every_promise_survives_kills_at_random_moments_of_a_flood() -> None:
    seed = int(os.environ.get("TIDEGATE_TEST_SEED") or random.randrange(10**6))
    print(f"TIDEGATE_TEST_SEED={seed}")
    with settings() as config:
        async with festival(config) as supervisor, opened(supervisor.config) as app:
            began_at = app.clock.now()
            flood = Flood(config.public_url, await open_shop(app, SHOPPERS), seed)
            await asyncio.sleep(1.5)
            flooding = asyncio.create_task(flood.run(LANES))
            killed = await _kill_at_random(supervisor, random.Random(seed))
            await asyncio.sleep(2)
            flood.stop()
            await asyncio.wait_for(flooding, 40)
            await _drained(app)
            journal = flood.journal
            print(f"killed {killed}; {len(journal.acknowledged)} orders acknowledged, {journal.repeated} repeats")

            assert set(killed) == set(VICTIMS)
            assert len(journal.acknowledged) > 60, "the flood hardly flowed"
            assert journal.repeated > 0, "no kill was felt"
            await _every_order_is_there_once(app, journal)
            await _nothing_is_oversold(app)
            await _what_was_told_as_paid_is_paid(app, journal)
            await _books_agree(app, supervisor, began_at)
            async with app.db.snapshot() as tx:
                examination = await app.monitor.doctor(tx)
            assert [f"{check.name}: {check.detail}" for check in examination.broken] == []
            await _everything_runs_again(supervisor)


async def _kill_at_random(supervisor: Supervisor, chance: random.Random) -> list[str]:
    """Kill every victim at least once, in random order, with random pauses; return who died."""
    plan = [*VICTIMS, *chance.choices(VICTIMS, k=KILLS - len(VICTIMS))]
    chance.shuffle(plan)
    for victim in plan:
        await asyncio.sleep(chance.uniform(0.8, 2.6))
        while not kill(supervisor, victim):
            await asyncio.sleep(0.1)
    return plan


async def _drained(app: App) -> None:
    """Wait until every event arrived and no order waits for payment, refund or expiry."""
    until = time.monotonic() + DRAIN_SECONDS
    waiting = -1
    while time.monotonic() < until:
        async with app.db.transaction() as tx:
            states = (OrderState.PLACED, OrderState.REFUNDING)
            pages = [await app.ordering.find(tx, OrderFilter(state=state, limit=1)) for state in states]
        waiting = sum(page.count for page in pages)
        if waiting == 0 and await app.outbox.drained(app.db):
            return
        await asyncio.sleep(0.5)
    raise AssertionError(f"after {DRAIN_SECONDS} s {waiting} orders still wait")


async def _every_order_is_there_once(app: App, journal: Journal) -> None:
    buyers = sorted({buyer for buyer, _ in journal.asked})
    async with app.db.read() as tx:
        rows = await (
            await tx.execute(
                "select buyer_id, idempotency_key, order_id, total from ordering.orders where buyer_id = any(%s)",
                [buyers],
            )
        ).fetchall()
        everything = await app.ordering.find(tx, OrderFilter(limit=1))
    kept: dict[tuple[UUID, str], list[tuple[str, int]]] = {}
    for buyer_id, key, order_id, total in rows:
        kept.setdefault((buyer_id, key), []).append((str(order_id), total))
    assert journal.contradictions == []
    promised = {key: [(told.order_id, told.total)] for key, told in journal.acknowledged.items()}
    assert kept == promised, "the orders in the database are not exactly those that were acknowledged"
    assert everything.count == len(journal.acknowledged)
    assert journal.asked == journal.acknowledged.keys() | journal.refused.keys()
    assert set(journal.refused.values()) <= {"/problems/sold-out"}


async def _nothing_is_oversold(app: App) -> None:
    current = app.campaign.current()
    assert current is not None
    async with app.db.read() as tx:
        levels = await app.stock.levels(tx, current.campaign_id, [HOT])
        [(paid, units)] = await (
            await tx.execute(
                "select count(*) filter (where o.state = 'paid'),"
                " coalesce(sum(h.quantity) filter (where h.state = 'sold'), 0)"
                " from stock.hold h join ordering.orders o using (order_id) where h.sku = %s",
                [HOT],
            )
        ).fetchall()
    level = levels[HOT]
    assert (level.loaded, level.held) == (HOT_UNITS, 0)
    assert level.sold == paid == units <= HOT_UNITS
    assert level.free == HOT_UNITS - level.sold


async def _what_was_told_as_paid_is_paid(app: App, journal: Journal) -> None:
    assert journal.told_paid
    async with app.db.read() as tx:
        rows = await (
            await tx.execute(
                "select order_id::text, state from ordering.orders where order_id = any(%s::uuid[])",
                [sorted(journal.told_paid)],
            )
        ).fetchall()
    assert {order_id: state for order_id, state in rows if state not in PAID} == {}
    assert len(rows) == len(journal.told_paid)


async def _books_agree(app: App, supervisor: Supervisor, began_at: datetime) -> None:
    """Each channel's own statement equals our ledger; what it kept is what the paid orders cost."""
    kept = 0
    for setting, totals in zip(supervisor.config.channels, await channel_totals(supervisor), strict=True):
        until = app.clock.now() + timedelta(seconds=1)
        report = await app.payment.reconcile(setting.name, began_at - timedelta(minutes=1), until)
        assert report.clean, report
        assert report.under_way_count == 0
        assert (totals.charged_twice, totals.pending) == (0, 0)
        assert report.matched == totals.charges + totals.refunds
        assert report.matched_charged == totals.charged
        kept += totals.charged - totals.refunded
    async with app.db.read() as tx:
        paid = await app.ordering.find(tx, OrderFilter(state=OrderState.PAID, limit=1))
    assert kept == paid.total == paid.count * PRICE
    assert paid.count > 0


async def _everything_runs_again(supervisor: Supervisor) -> None:
    assert all(server.pid is not None for server in supervisor.servers)
    assert {process.name for process in supervisor.processes if process.pid is None} == set()
    restarts = {process.name: process.restarts for process in supervisor.processes}
    assert all(restarts[name] >= 1 for name in ("web", "worker", "harbour"))
    assert restarts["lantern"] == 0
    async with httpx.AsyncClient(base_url=supervisor.config.public_url) as client:
        answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
