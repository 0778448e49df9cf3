"""The monitor on a real database and a real Valkey: counting, sampling, the live page, the doctor."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry

from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.db import Database, Tx
from tidegate.base.invariant import Check
from tidegate.base.jobs import Jobs
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign
from tidegate.sale.ordering.contracts import OrderCancelled, OrderExpired, OrderPaid, OrderPlaced, OrderRefunded
from tidegate.watch.monitor import store
from tidegate.watch.monitor.api import Monitor
from tidegate.watch.monitor.contracts import Level, NewAnnouncement, Outcome, State, Trade
from tidegate.watch.monitor.errors import NotWithinReach
from tidegate.watch.monitor.jobs import subscribe
from tidegate.watch.monitor.ports import Checked, StockFigures
from tidegate.watch.monitor.series import Series, point_of


class Shelf:
    """Books of a shop with one SKU and one channel, as the money path would answer."""

    def __init__(self) -> None:
        self.outcomes: dict[str, dict[Outcome, int]] = {"harbour": {Outcome.CAPTURED: 95, Outcome.FAILED: 5}}

    async def stock(self, tx: Tx, skus: Sequence[str]) -> Mapping[str, StockFigures]:
        """Ten units, one free."""
        return {sku: StockFigures(loaded=10, free=1, held=4, sold=5) for sku in skus}

    async def attempts(self, tx: Tx, since: datetime, until: datetime) -> Mapping[str, Mapping[Outcome, int]]:
        """The same in every span."""
        return self.outcomes


class Rule:
    """A module with one invariant that is broken as often as it is told to be."""

    def __init__(self, broken_times: int) -> None:
        self.broken_times = broken_times

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the invariant."""
        self.broken_times -= 1
        return [Check(name="rule: holds", holds=self.broken_times < 0, examined=1, detail="broken")]


class Wreck:
    """A module whose check itself fails."""

    async def check(self, tx: Tx) -> list[Check]:
        """Ask the database for nonsense."""
        await tx.execute("select 1/0")
        return []


def watch(
    config: Config, clock: ManualClock, cache: Cache, outbox: Outbox, modules: dict[str, Checked] | None = None
) -> Monitor:
    assert config.database_url is not None
    return Monitor(
        clock=clock,
        cache=cache,
        outbox=outbox,
        jobs=Jobs(config.database_url),
        campaign=Campaign(clock, outbox),
        books=Shelf(),
        modules=modules or {},
        registry=CollectorRegistry,
    )


@pytest.fixture
def outbox() -> Outbox:
    """An outbox without other subscribers."""
    return Outbox()


@pytest.fixture
def monitor(config: Config, clock: ManualClock, cache: Cache, outbox: Outbox) -> Monitor:
    """A subscribed monitor."""
    made = watch(config, clock, cache, outbox)
    subscribe(outbox, made)
    return made


def placed(at: datetime, total: int = 9900, lines: tuple[tuple[str, int], ...] = (("TG-1", 2),)) -> OrderPlaced:
    return OrderPlaced(
        order_id=uuid4(),
        buyer_id=uuid4(),
        campaign_id="double-11",
        total=total,
        currency="CNY",
        lines=lines,
        placed_at=at,
    )


def paid(at: datetime, total: int = 9900) -> OrderPaid:
    ids: tuple[UUID, UUID] = (uuid4(), uuid4())
    return OrderPaid(
        order_id=ids[0],
        buyer_id=ids[1],
        campaign_id="double-11",
        total=total,
        currency="CNY",
        lines=(("TG-1", 2),),
        paid_at=at,
    )


async def trade(db: Database, outbox: Outbox, *events: object) -> None:
    async with db.transaction() as tx:
        await outbox.append(tx, *events)  # type: ignore[arg-type]
    while await outbox.deliver(db, "monitor"):
        pass


async def test_each_event_counts_once_by_second_and_by_minute(
    db: Database, outbox: Outbox, monitor: Monitor, clock: ManualClock
) -> None:
    at = clock.now()
    one = {"order_id": uuid4(), "campaign_id": "double-11", "total": 9900, "lines": (("TG-1", 2),)}
    await trade(
        db,
        outbox,
        *[placed(at + timedelta(seconds=second)) for second in (0, 0, 1, 61)],
        paid(at),
        OrderExpired(**one, expired_at=at),  # type: ignore[arg-type]
        OrderCancelled(**one, cancelled_at=at),  # type: ignore[arg-type]
        OrderRefunded(
            order_id=uuid4(), campaign_id="double-11", amount=500, complete=False, refunded_at=at + timedelta(seconds=2)
        ),
    )
    whole = Trade(
        placed=4, placed_value=39600, paid=1, paid_value=9900, expired=1, cancelled=1, refunded=0, refunded_value=500
    )
    async with db.read() as tx:
        assert await store.trade_total(tx, None) == whole
        first = await store.trade_between(tx, at, at + timedelta(seconds=1))
        assert (first.placed, first.paid, first.expired, first.cancelled) == (2, 1, 1, 1)
        minutes = await monitor.figures_between(tx, at, at + timedelta(minutes=2))
        assert [minute.trade.placed for minute in minutes] == [3, 1]
        assert await store.hottest(tx, at, 5) == [("TG-1", 8)]
        assert [check.holds for check in await monitor.check(tx)] == [True]


async def test_a_drift_between_seconds_and_minutes_is_found(
    db: Database, outbox: Outbox, monitor: Monitor, clock: ManualClock
) -> None:
    await trade(db, outbox, placed(clock.now()))
    async with db.transaction() as tx:
        await tx.execute("update monitor.trade_minute set placed = placed + 1")
        [check] = await monitor.check(tx)
    assert (check.holds, check.detail) == (False, "1 minutes differ from the sum of their seconds")


async def test_a_sample_shows_on_the_live_page(
    db: Database, outbox: Outbox, monitor: Monitor, clock: ManualClock
) -> None:
    at = clock.now()
    await trade(db, outbox, *[placed(at) for _ in range(10)], paid(at))
    clock.advance(seconds=4)
    await monitor.sample(db)
    async with db.read() as tx:
        live = await monitor.live(tx)
    figures = {figure.key: figure for figure in live.figures}
    assert live.measured
    assert live.taken_at == clock.now()
    assert (figures["orders"].value, figures["awaiting"].value, figures["gmv"].value) == (2.0, 9.0, 99000.0)
    assert figures["payment_success"].value == 0.95
    assert [(goods.sku, goods.free, goods.state) for goods in live.hot_goods] == [("TG-1", 1, State.WATCH)]
    assert isinstance(live.points, tuple)
    assert [point.at for point in live.points] == [int(clock.now().timestamp())]


async def test_old_figures_are_called_old(db: Database, monitor: Monitor, clock: ManualClock) -> None:
    await monitor.sample(db)
    clock.advance(seconds=30)
    async with db.read() as tx:
        assert not (await monitor.live(tx)).measured


async def test_only_later_points_are_sent_again(db: Database, monitor: Monitor, clock: ManualClock) -> None:
    for _ in range(3):
        await monitor.sample(db)
        clock.advance(seconds=1)
    async with db.read() as tx:
        live = await monitor.live(tx, clock.now() - timedelta(seconds=2))
    assert isinstance(live.points, tuple)
    assert [point.at for point in live.points] == [int(clock.now().timestamp()) - 1]


async def test_without_valkey_the_page_draws_trade_from_postgresql(
    db: Database, config: Config, clock: ManualClock
) -> None:
    outbox, gone = Outbox(), Cache("redis://127.0.0.1:1", timeout_seconds=0.2)
    monitor = watch(config, clock, gone, outbox)
    subscribe(outbox, monitor)
    await trade(db, outbox, placed(clock.now()), placed(clock.now()))
    clock.advance(seconds=3)
    sample = await monitor.sample(db)
    assert not sample.cache_up
    assert await Series(gone).append(point_of(sample)) is False
    async with db.read() as tx:
        live = await monitor.live(tx)
    await gone.close()
    assert not live.cache_up
    assert live.trade.placed == 2
    assert isinstance(live.points, tuple)
    assert [(point.orders, point.p99_ms) for point in live.points] == [(2.0, None)]


async def test_two_workers_do_not_speak_at_once(db: Database, config: Config, cache: Cache, clock: ManualClock) -> None:
    one, other = (watch(config, clock, cache, Outbox()) for _ in range(2))
    first = await one.sample(db)
    async with db.transaction() as tx:
        assert not await store.keep_newest(tx, first)
    clock.advance(seconds=1)
    await other.sample(db)


async def test_minutes_of_answers_and_channels_are_kept(db: Database, monitor: Monitor, clock: ManualClock) -> None:
    for _ in range(3):
        await monitor.sample(db)
        clock.advance(seconds=30)
    async with db.read() as tx:
        answers = await monitor.answers_between(tx, clock.now() - timedelta(hours=1), clock.now())
        channels = await monitor.channels_between(tx, clock.now() - timedelta(hours=1), clock.now())
    assert [each.minute_at.second for each in answers] == [0]
    assert {(each.channel, each.outcome, each.attempts) for each in channels} == {
        ("harbour", Outcome.CAPTURED, 95),
        ("harbour", Outcome.FAILED, 5),
    }


async def test_the_doctor_names_what_is_broken(db: Database, config: Config, cache: Cache, clock: ManualClock) -> None:
    monitor = watch(config, clock, cache, Outbox(), {"rule": Rule(broken_times=99), "wreck": Wreck()})
    async with db.snapshot() as tx:
        found = await monitor.doctor(tx)
    assert not found.holds
    assert [check.name for check in found.broken] == ["rule: holds", "wreck: examined"]
    assert "division by zero" in found.broken[1].detail


async def test_what_is_open_only_for_a_moment_is_not_broken(
    db: Database, config: Config, cache: Cache, clock: ManualClock
) -> None:
    monitor = watch(config, clock, cache, Outbox(), {"rule": Rule(broken_times=1)})
    assert (await monitor.examine(db)).holds


async def test_a_broken_invariant_is_announced_once_and_so_is_its_mending(
    db: Database, config: Config, cache: Cache, clock: ManualClock
) -> None:
    rule = Rule(broken_times=2)
    monitor = watch(config, clock, cache, Outbox(), {"rule": rule})
    for _ in range(3):
        async with db.snapshot() as tx:
            found = await monitor.doctor(tx)
        async with db.transaction() as tx:
            await monitor.keep_examination(tx, found)
        clock.advance(seconds=60)
    async with db.read() as tx:
        feed = await monitor.feed(tx)
    assert [line.kind for line in feed] == ["invariant-holds-again", "invariant-broken"]


async def test_the_feed_pages_backwards(db: Database, monitor: Monitor) -> None:
    async with db.transaction() as tx:
        for number in range(5):
            await monitor.announce(tx, NewAnnouncement(level=Level.INFO, kind="note", subject=str(number)))
        newest = await monitor.feed(tx, most=2)
        older = await monitor.feed(tx, before=newest[-1].announcement_id, most=2)
    assert [line.subject for line in newest + older] == ["4", "3", "2", "1"]


async def test_health_says_what_it_rests_on(db: Database, monitor: Monitor) -> None:
    facts = {fact.name: fact for fact in await monitor.health(db)}
    assert {name: fact.ok for name, fact in facts.items()} == {
        "postgres": True,
        "valkey": True,
        "migrations": True,
        "campaign": False,
        "outbox": True,
    }
    assert not facts["campaign"].required


async def test_a_span_too_long_is_refused(db: Database, monitor: Monitor, clock: ManualClock) -> None:
    async with db.read() as tx:
        with pytest.raises(NotWithinReach):
            await monitor.figures_between(tx, clock.now() - timedelta(days=15), clock.now())
        with pytest.raises(NotWithinReach):
            await monitor.figures_between(tx, clock.now(), clock.now())
