"""Events take effect exactly once per subscriber, in commit order, whatever fails in between."""

import asyncio
from datetime import timedelta

import pytest

from tidegate.base.db import Database, Tx
from tidegate.base.outbox import Event, Outbox


class Counted(Event, frozen=True, kw_only=True):
    """A number was counted."""

    number: int


class Named(Event, frozen=True, kw_only=True):
    """A name was given."""

    name: str


class Ignored(Event, frozen=True, kw_only=True):
    """Nobody cares."""


@pytest.fixture(autouse=True)
async def seen_table(db: Database) -> None:
    """Where handlers write what they see, in their own transaction."""
    async with db.transaction() as tx:
        await tx.execute("create schema probe")
        await tx.execute(
            "create table probe.seen (id bigint generated always as identity, subscriber text, event text)"
        )


def _outbox(*names: str) -> Outbox:
    outbox = Outbox()
    for name in names:
        outbox.subscribe(name, {Counted: _writer(name), Named: _writer(name)})
    return outbox


def _writer(name: str):  # type: ignore[no-untyped-def]
    async def write(tx: Tx, events: list[Counted | Named]) -> None:
        for event in events:
            text = str(event.number) if isinstance(event, Counted) else event.name
            await tx.execute("insert into probe.seen (subscriber, event) values (%s, %s)", [name, text])

    return write


async def _seen(db: Database, name: str) -> list[str]:
    async with db.read() as tx:
        rows = await tx.execute("select event from probe.seen where subscriber = %s order by id", [name])
        return [event for (event,) in await rows.fetchall()]


async def _append(db: Database, outbox: Outbox, *events: Event) -> None:
    async with db.transaction() as tx:
        await outbox.append(tx, *events)


async def _deliver_all(db: Database, outbox: Outbox, *names: str) -> None:
    while not await outbox.drained(db):
        for name in names:
            await outbox.deliver(db, name)


async def test_each_subscriber_sees_each_event_once_and_in_order(db: Database) -> None:
    outbox = _outbox("first", "second")
    for number in range(450):
        await _append(db, outbox, Counted(number=number), Ignored(), Named(name=f"n{number}"))
    await _deliver_all(db, outbox, "first", "second")
    wanted = [text for number in range(450) for text in (str(number), f"n{number}")]
    assert await _seen(db, "first") == await _seen(db, "second") == wanted
    assert await outbox.deliver(db, "first") == 0
    assert await _seen(db, "first") == wanted


async def test_an_event_of_a_transaction_that_rolled_back_never_happened(db: Database) -> None:
    outbox = _outbox("first")
    with pytest.raises(RuntimeError, match="no"):
        async with db.transaction() as tx:
            await outbox.append(tx, Counted(number=1))
            raise RuntimeError("no")
    await _append(db, outbox, Counted(number=2))
    await _deliver_all(db, outbox, "first")
    assert await _seen(db, "first") == ["2"]


async def test_a_failing_handler_leaves_cursor_and_effects_and_harms_no_other_subscriber(db: Database) -> None:
    outbox = _outbox("good")
    broken = True

    async def fragile(tx: Tx, events: list[Counted]) -> None:
        await _writer("fragile")(tx, events)
        if broken and any(event.number == 3 for event in events):
            raise RuntimeError("three")

    outbox.subscribe("fragile", {Counted: fragile})
    for number in range(5):
        await _append(db, outbox, Counted(number=number))
    with pytest.raises(RuntimeError, match="three"):
        await outbox.deliver(db, "fragile")
    assert await _seen(db, "fragile") == []
    assert await outbox.deliver(db, "good") == 5
    assert not await outbox.drained(db)
    broken = False
    assert await outbox.deliver(db, "fragile") == 5
    assert await _seen(db, "fragile") == ["0", "1", "2", "3", "4"]
    assert await outbox.drained(db)


async def test_many_deliverers_at_once_deliver_once(db: Database) -> None:
    outbox = _outbox("first")
    for number in range(600):
        await _append(db, outbox, Counted(number=number))
    await asyncio.gather(*[_deliver_all(db, outbox, "first") for _ in range(5)])
    assert await _seen(db, "first") == [str(number) for number in range(600)]


async def test_order_holds_where_the_transaction_number_gains_a_digit(db: Database) -> None:
    outbox = _outbox("first")
    async with db.transaction() as tx:
        for number, xid in enumerate(["9", "10", "99", "100", "101", "110"]):
            await tx.execute(
                "insert into base.outbox (xid, kinds, events) values (%s::xid8, '{Counted}', %s::json)",
                [xid, f'[{{"type": "Counted", "number": {number}}}]'],
            )
    assert await outbox.deliver(db, "first") == 6
    assert await _seen(db, "first") == ["0", "1", "2", "3", "4", "5"]
    async with db.read() as tx:
        cursor = await (
            await tx.execute("select xid::text from base.outbox_cursor where subscriber = 'first'")
        ).fetchone()
    assert cursor == ("110",)
    assert await outbox.deliver(db, "first") == 0


async def test_a_straggler_that_commits_late_is_not_skipped(db: Database) -> None:
    outbox = _outbox("first")
    async with db.transaction() as straggler:
        await outbox.append(straggler, Counted(number=1))
        await _append(db, outbox, Counted(number=2))
        await _append(db, outbox, Counted(number=3))
        assert await outbox.deliver(db, "first") == 0, "what began later waits for what began before"
        assert not await outbox.drained(db)
    assert await outbox.deliver(db, "first") == 3
    assert await _seen(db, "first") == ["1", "2", "3"]


async def test_a_straggler_that_rolls_back_leaves_a_gap_that_holds_nobody_up(db: Database) -> None:
    outbox = _outbox("first")
    with pytest.raises(RuntimeError, match="gone"):
        async with db.transaction() as straggler:
            await outbox.append(straggler, Counted(number=1))
            await _append(db, outbox, Counted(number=2))
            raise RuntimeError("gone")
    await _deliver_all(db, outbox, "first")
    assert await _seen(db, "first") == ["2"]


async def test_writers_and_deliverers_together_lose_and_repeat_nothing(db: Database) -> None:
    outbox = _outbox("first")

    async def write(writer: int) -> None:
        for number in range(40):
            async with db.transaction() as tx:
                await outbox.append(tx, Counted(number=1_000 * writer + number))
                await asyncio.sleep(0.001 * ((writer * 7 + number) % 4))
                await outbox.append(tx, Named(name=f"{writer}-{number}"))

    delivering = asyncio.create_task(outbox.run(db))
    await asyncio.gather(*[write(writer) for writer in range(4)])
    async with asyncio.timeout(20):
        while not await outbox.drained(db):
            await asyncio.sleep(0.02)
    delivering.cancel()
    seen = await _seen(db, "first")
    assert len(seen) == len(set(seen)) == 320
    for writer in range(4):
        assert [text for text in seen if text.startswith(f"{writer}-")] == [f"{writer}-{n}" for n in range(40)]


async def test_each_is_told_soon_of_what_concerns_it_and_passes_the_rest_by(db: Database) -> None:
    outbox, told = Outbox(), asyncio.Event()

    async def take(tx: Tx, events: list[Named]) -> None:
        del tx, events
        told.set()

    async def leave(tx: Tx, events: list[Counted]) -> None:
        raise AssertionError(f"{events} concern nobody here")

    outbox.subscribe("named", {Named: take})
    outbox.subscribe("counted", {Counted: leave})
    delivering = asyncio.create_task(outbox.run(db))
    async with asyncio.timeout(20):
        for name in ("one", "two"):
            await _append(db, outbox, Named(name=name))
            await told.wait()
            told.clear()
        while not await outbox.drained(db):
            await asyncio.sleep(0.02)
    delivering.cancel()


async def test_a_late_subscriber_begins_with_the_oldest_kept_row(db: Database) -> None:
    early = _outbox("early")
    await _append(db, early, Counted(number=1))
    await _deliver_all(db, early, "early")
    both = _outbox("early", "late")
    assert not await both.drained(db)
    await _deliver_all(db, both, "early", "late")
    assert (await _seen(db, "early"), await _seen(db, "late")) == (["1"], ["1"])


async def test_backlog_counts_what_the_slowest_has_still_to_see(db: Database) -> None:
    outbox = _outbox("quick", "slow")
    await _append(db, outbox, Counted(number=0))
    await _deliver_all(db, outbox, "quick", "slow")
    for number in range(1, 4):
        await _append(db, outbox, Counted(number=number))
    await outbox.deliver(db, "quick")
    async with db.read() as tx:
        backlog = await outbox.backlog(tx)
    assert backlog.rows == 3
    assert 0 <= backlog.seconds < 60
    await _deliver_all(db, outbox, "quick", "slow")
    async with db.read() as tx:
        assert (await outbox.backlog(tx)).rows == 0


async def test_only_old_rows_that_everybody_has_seen_are_pruned(db: Database) -> None:
    outbox = _outbox("quick", "slow")
    for number in range(4):
        await _append(db, outbox, Counted(number=number))
    await _deliver_all(db, outbox, "quick", "slow")
    await _append(db, outbox, Counted(number=4))
    await outbox.deliver(db, "quick")
    async with db.transaction() as tx:
        assert await outbox.prune(tx) == 0, "nothing is an hour old"
        await tx.execute("update base.outbox set written_at = written_at - %s", [timedelta(hours=2)])
    async with db.transaction() as tx:
        assert await outbox.prune(tx) == 4
    await _deliver_all(db, outbox, "slow")
    assert await _seen(db, "slow") == ["0", "1", "2", "3", "4"]


def test_a_name_can_subscribe_once() -> None:
    outbox = _outbox("first")
    with pytest.raises(ValueError, match="first is registered already"):
        outbox.subscribe("first", {})
    assert outbox.subscribers == ["first"]
