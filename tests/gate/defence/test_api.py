"""Defences on the real servers: counts of all processes, start, stop, undo, restart, Valkey away, the record."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import psycopg
import pytest
from httpx import ASGITransport, AsyncClient

from tests.app.framework import framework_of
from tests.offer.festivals import definition
from tests.sale.shop import publish
from tidegate.app.api.hot import Front
from tidegate.app.compose import App, compose
from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.ids import Ids
from tidegate.gate.defence.adapters.counts import CountBoard
from tidegate.gate.defence.contracts import (
    Counts,
    Defence,
    DefenceRule,
    Happening,
    RecordEntry,
    Signal,
    StartDefence,
    UndoDefence,
    Why,
)
from tidegate.gate.defence.errors import DefenceIsOn, DefenceUnknown
from tidegate.offer.campaign.contracts import Threshold
from tidegate.trust.identity.contracts import Role, Staff
from tidegate.trust.identity.errors import NotPermitted

PASSWORD = "a long phrase of the tests"


def rule(name: str, starts: Defence, *, factor: int = 10_000) -> DefenceRule:
    return DefenceRule(
        name=name,
        starts=starts,
        trigger=Threshold(signal=Signal.REQUESTS, start_at=100, stop_below=50),
        second=Threshold(signal=Signal.FAILURES, start_at=3_000, stop_below=1_000),
        window_seconds=5,
        stay_seconds=20,
        expiry_seconds=600,
        factor=factor,
    )


RULES = (rule("flood", Defence.WORK_FOR_ALL), rule("squeeze", Defence.LOWER_LIMITS, factor=2_500))
ATTACK = Counts(reports=1, requests=60, failures=30)
CALM = Counts(reports=1, requests=5)


@pytest.fixture
async def shop(app: App) -> App:
    await publish(app, msgspec.structs.replace(definition(), defences=RULES))
    return app


async def staff(app: App, role: Role = Role.RISK) -> Staff:
    async with app.db.transaction() as tx:
        return await app.identity.add_staff(tx, f"{role}.person", role, PASSWORD)


async def seconds(app: App, clock: ManualClock, count: int, *each: Counts) -> None:
    """Let so many seconds pass, in each of which every process reports."""
    board = CountBoard(app.cache)
    for _ in range(count):
        for counts in each:
            await board.add(int(clock.now().timestamp()), counts)
        clock.advance(seconds=1)
        await app.defences.watch(app.db)
    async with app.db.read() as tx:
        await app.defences.refresh(tx)


async def record(app: App) -> list[RecordEntry]:
    """The record, oldest first."""
    async with app.db.read() as tx:
        return (await app.defences.record(tx))[::-1]


async def happened(app: App) -> list[tuple[str, Happening, Why]]:
    return [(entry.name, entry.happening, entry.why) for entry in await record(app)]


async def test_two_processes_that_are_calm_alone_are_an_attack_together(shop: App, clock: ManualClock) -> None:
    assert not shop.defences.active(Defence.WORK_FOR_ALL)
    assert shop.defences.limit_factor() == 1.0
    await seconds(shop, clock, 6, ATTACK)
    assert not shop.defences.active(Defence.WORK_FOR_ALL)
    await seconds(shop, clock, 6, ATTACK, ATTACK)
    assert shop.defences.active(Defence.WORK_FOR_ALL)
    assert shop.defences.active(Defence.LOWER_LIMITS)
    assert not shop.defences.active(Defence.STATIC_ONLY)
    assert shop.defences.limit_factor() == 0.25
    first = (await record(shop))[0]
    assert first.signals["requests"] >= 100
    assert first.signals["failures"] == 5_000
    assert (first.happening, first.why, first.by) == (Happening.STARTED, Why.SIGNALS, "")


async def test_it_ends_when_it_is_calm_and_not_before_its_minimum_stay(shop: App, clock: ManualClock) -> None:
    await seconds(shop, clock, 7, ATTACK, ATTACK)
    await seconds(shop, clock, 12, CALM)
    assert shop.defences.active(Defence.WORK_FOR_ALL)
    await seconds(shop, clock, 10, CALM)
    assert not shop.defences.active(Defence.WORK_FOR_ALL)
    assert shop.defences.limit_factor() == 1.0
    assert await happened(shop) == [
        (name, happening, why)
        for happening, why in ((Happening.STARTED, Why.SIGNALS), (Happening.ENDED, Why.CALM))
        for name in ("flood", "squeeze")
    ]
    async with shop.db.read() as tx:
        assert all(check.holds for check in await shop.defences.check(tx))


async def test_a_restart_changes_nothing(shop: App, clock: ManualClock, config: Config, ids: Ids) -> None:
    await seconds(shop, clock, 7, ATTACK, ATTACK)
    again = compose(config, clock=clock, ids=ids)
    await again.open()
    try:
        assert again.defences.active(Defence.WORK_FOR_ALL)
        await seconds(again, clock, 3, ATTACK, ATTACK)
        assert len(await record(again)) == 2
    finally:
        await again.close()


async def test_without_valkey_it_stays_as_it_is_and_still_expires(
    shop: App, clock: ManualClock, config: Config, ids: Ids
) -> None:
    await seconds(shop, clock, 7, ATTACK, ATTACK)
    deaf = compose(msgspec.structs.replace(config, cache_url="redis://127.0.0.1:1/0"), clock=clock, ids=ids)
    await deaf.open()
    try:
        await seconds(deaf, clock, 30, CALM)
        assert deaf.defences.active(Defence.WORK_FOR_ALL)
        assert [status.seen for status in await deaf.defences.overview(deaf.db)] == [None, None]
        clock.advance(seconds=600)
        await seconds(deaf, clock, 1, CALM)
        assert not deaf.defences.active(Defence.WORK_FOR_ALL)
    finally:
        await deaf.close()
    assert (await happened(shop))[-1] == ("squeeze", Happening.ENDED, Why.EXPIRED)


async def test_valkey_that_comes_back_empty_calls_nothing_calm(shop: App, clock: ManualClock, cache: Cache) -> None:
    await seconds(shop, clock, 30, ATTACK, ATTACK)
    await cache.client.flushall()
    for _ in range(2):
        clock.advance(seconds=1)
        assert await shop.defences.watch(shop.db) == []


async def test_many_workers_are_one(shop: App, clock: ManualClock, config: Config, ids: Ids) -> None:
    others = [compose(config, clock=clock, ids=ids) for _ in range(3)]
    for other in others:
        await other.open()
    board = CountBoard(shop.cache)
    for _ in range(7):
        await board.add(int(clock.now().timestamp()), ATTACK)
        await board.add(int(clock.now().timestamp()), ATTACK)
        clock.advance(seconds=1)
    try:
        await asyncio.gather(*(each.defences.watch(each.db) for each in (shop, *others) for _ in range(5)))
    finally:
        for other in others:
            await other.close()
    assert await happened(shop) == [(name, Happening.STARTED, Why.SIGNALS) for name in ("flood", "squeeze")]


async def test_staff_start_and_undo(shop: App, clock: ManualClock) -> None:
    officer = await staff(shop)
    async with shop.db.transaction() as tx:
        await shop.defences.start(tx, officer, "flood", StartDefence(reason="scrapers", minutes=5))
    with pytest.raises(DefenceIsOn):
        async with shop.db.transaction() as tx:
            await shop.defences.start(tx, officer, "flood", StartDefence(reason="scrapers"))
    await seconds(shop, clock, 60, CALM)
    assert shop.defences.active(Defence.WORK_FOR_ALL)
    async with shop.db.transaction() as tx:
        await shop.defences.undo(tx, officer, "flood", UndoDefence(reason="the press", hold_minutes=1))
        await shop.defences.undo(tx, officer, "squeeze", UndoDefence(reason="the press", hold_minutes=1))
    await seconds(shop, clock, 59, ATTACK, ATTACK)
    assert not shop.defences.active(Defence.WORK_FOR_ALL)
    await seconds(shop, clock, 2, ATTACK, ATTACK)
    assert shop.defences.active(Defence.WORK_FOR_ALL)
    assert [(entry.name, entry.happening, entry.why, entry.by) for entry in await record(shop)] == [
        ("flood", Happening.STARTED, Why.BY_HAND, officer.name),
        ("flood", Happening.ENDED, Why.UNDONE, officer.name),
        ("squeeze", Happening.QUIETED, Why.UNDONE, officer.name),
        ("flood", Happening.STARTED, Why.SIGNALS, ""),
        ("squeeze", Happening.STARTED, Why.SIGNALS, ""),
    ]


async def test_who_may_not_changes_nothing(shop: App) -> None:
    with pytest.raises(NotPermitted):
        async with shop.db.transaction() as tx:
            await shop.defences.start(tx, await staff(shop, Role.SUPPORT), "flood", StartDefence(reason="scrapers"))
    with pytest.raises(DefenceUnknown):
        async with shop.db.transaction() as tx:
            await shop.defences.undo(tx, await staff(shop), "nothing", UndoDefence(reason="scrapers"))
    assert await record(shop) == []


async def test_the_record_cannot_be_changed(shop: App) -> None:
    async with shop.db.transaction() as tx:
        await shop.defences.start(tx, await staff(shop), "flood", StartDefence(reason="scrapers"))
    before = await record(shop)
    for change in ("update defence.record set reason = ''", "delete from defence.record", "truncate defence.record"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            async with shop.db.transaction() as tx:
                await tx.execute(change)
    assert await record(shop) == before


async def test_a_campaign_without_the_rule_ends_it(shop: App, clock: ManualClock) -> None:
    await seconds(shop, clock, 7, ATTACK, ATTACK)
    await publish(shop, msgspec.structs.replace(definition(), defences=RULES[:1]))
    await seconds(shop, clock, 1, ATTACK, ATTACK)
    assert shop.defences.limit_factor() == 1.0
    assert (await happened(shop))[-1] == ("squeeze", Happening.ENDED, Why.WITHDRAWN)


async def test_what_a_process_counts_reaches_the_signals(shop: App, clock: ManualClock) -> None:
    async with AsyncClient(transport=ASGITransport(Front(shop, framework_of(shop))), base_url="http://shop") as client:  # type: ignore[arg-type]
        for _ in range(4):
            await client.get("/api/v1/nothing-here")
        await client.get("/api/v1/stock?skus=A")
        await client.get("/api/v1/campaign")
        await client.post("/api/v1/sessions", json={"phone": "13800131234", "code": "000000"})
    taken = shop.defences.tally.take()
    assert taken == Counts(reports=1, requests=7, failures=5, failed_sign_ins=1)
    assert shop.defences.tally.take() == Counts(reports=1)
    await shop.defences.publish()
    second = int(clock.now().timestamp())
    assert await CountBoard(shop.cache).read(second - 1, second) == [Counts(), Counts(reports=1)]


@pytest.fixture
async def client(shop: App) -> AsyncIterator[AsyncClient]:
    site = Front(shop, framework_of(shop))
    async with AsyncClient(transport=ASGITransport(site), base_url="http://shop") as client:  # type: ignore[arg-type]
        yield client


async def test_the_doors_are_for_staff(shop: App, client: AsyncClient) -> None:
    assert (await client.get("/api/v1/defences")).status_code == 401
    await staff(shop)
    await client.post("/api/v1/staff/sessions", json={"name": f"{Role.RISK}.person", "password": PASSWORD})
    started = await client.post("/api/v1/defences/flood/start", json={"reason": "scrapers", "minutes": 5})
    assert started.status_code == 200
    assert [(each["rule"]["name"], each["on"]) for each in started.json()] == [("flood", True), ("squeeze", False)]
    assert (await client.post("/api/v1/defences/flood/start", json={"reason": "scrapers"})).status_code == 409
    assert (await client.post("/api/v1/defences/none/undo", json={"reason": "scrapers"})).status_code == 404
    assert (await client.post("/api/v1/defences/flood/undo", json={"reason": "no"})).status_code == 422
    undone = await client.post("/api/v1/defences/flood/undo", json={"reason": "the press"})
    assert undone.json()[0]["on"] is False
    assert undone.json()[0]["quiet_until"] is not None
    lines = (await client.get("/api/v1/defences/record")).json()
    assert [(line["happening"], line["by"], line["reason"]) for line in lines] == [
        ("ended", f"{Role.RISK}.person", "the press"),
        ("started", f"{Role.RISK}.person", "scrapers"),
    ]
