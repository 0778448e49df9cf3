"""Transactions and reads on a server that comes and goes."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tidegate.base.db import Database, DatabaseUnavailable, Tx
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.load import LoadControl


@pytest.fixture
async def table(db: Database) -> None:
    """A table of two columns, probe.entry."""
    async with db.transaction() as tx:
        await tx.execute("create schema probe")
        await tx.execute("create table probe.entry (id int primary key, amount int not null)")


async def _count(db: Database) -> int:
    async with db.read() as tx:
        [(count,)] = await (await tx.execute("select count(*) from probe.entry")).fetchall()
    return int(count)


def _terminate_all(db: Database) -> int:
    """End every connection of this database from outside; return when all have ended."""
    with psycopg.connect(db.url, autocommit=True) as connection:
        rows = connection.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchall()
    return len(rows)


@pytest.mark.usefixtures("table")
async def test_a_transaction_is_whole_or_nothing(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute("insert into probe.entry values (1, 10)")
    with pytest.raises(RuntimeError, match="no"):
        async with db.transaction() as tx:
            await tx.execute("insert into probe.entry values (2, 20)")
            raise RuntimeError("no")
    assert await _count(db) == 1


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("how", ["statement", "swallowed", "commit", "ours", "cancelled", "lost"])
async def test_a_pipelined_transaction_is_whole_or_nothing(db: Database, how: str) -> None:
    narrow = Database(db.url, connections_max=1)
    await narrow.open()
    faults: dict[str, type[BaseException]] = {
        "commit": psycopg.errors.ForeignKeyViolation,
        "ours": RuntimeError,
        "cancelled": asyncio.CancelledError,
        "lost": psycopg.OperationalError,
        "statement": psycopg.errors.UniqueViolation,
    }
    async with narrow.pipelined() as tx:
        await tx.execute("insert into probe.entry values (1, 10)")
        await tx.execute(
            "create table probe.part (id int primary key,"
            " entry int not null references probe.entry deferrable initially deferred)"
        )
    with pytest.raises(faults.get(how, psycopg.Error)):
        async with narrow.pipelined() as tx:
            await tx.execute("insert into probe.entry values (2, 20)")
            await _fail(narrow, tx, how)
    assert await _count(narrow) == 1
    async with narrow.pipelined() as tx:
        assert await (await tx.execute("select amount from probe.entry")).fetchall() == [(10,)]
        await tx.execute("insert into probe.entry values (2, 20)")
    assert await _count(narrow) == 2
    await narrow.close()


async def _fail(db: Database, tx: Tx, how: str) -> None:
    match how:
        case "statement":
            await tx.execute("insert into probe.entry values (1, 10)")
            await tx.execute("insert into probe.entry values (3, 30)")
        case "swallowed":
            with suppress(psycopg.errors.UniqueViolation):
                await (await tx.execute("insert into probe.entry values (1, 10) returning id")).fetchall()
        case "commit":
            await tx.execute("insert into probe.part values (1, 7)")
        case "ours":
            raise RuntimeError("no")
        case "cancelled":
            raise asyncio.CancelledError
        case "lost":
            await asyncio.to_thread(_terminate_all, db)
        case _:
            raise AssertionError(how)


@pytest.mark.usefixtures("table")
async def test_reads_and_snapshots_cannot_write(db: Database) -> None:
    for give in (db.read, db.snapshot):
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            async with give() as tx:
                await tx.execute("insert into probe.entry values (1, 10)")
    assert await _count(db) == 0
    async with db.transaction() as tx:
        await tx.execute("insert into probe.entry values (1, 10)")
    assert await _count(db) == 1


@pytest.mark.usefixtures("table")
async def test_a_snapshot_sees_one_moment_and_the_next_transaction_is_an_ordinary_one(db: Database) -> None:
    async with db.snapshot() as seen:
        first = await (await seen.execute("select count(*) from probe.entry")).fetchone()
        async with db.transaction() as tx:
            await tx.execute("insert into probe.entry values (1, 10)")
        second = await (await seen.execute("select count(*) from probe.entry")).fetchone()
    assert (first, second) == ((0,), (0,))
    async with db.transaction() as tx:
        level = await (await tx.execute("show transaction_isolation")).fetchone()
        writes = await (await tx.execute("show transaction_read_only")).fetchone()
    assert (level, writes) == (("read committed",), ("off",))


async def test_no_table_is_found_without_its_schema_and_times_are_utc(db: Database) -> None:
    async with db.read() as tx:
        assert await (await tx.execute("show timezone")).fetchone() == ("UTC",)
        assert await (await tx.execute("show search_path")).fetchone() == ("procrastinate",)
        assert await (await tx.execute("show synchronous_commit")).fetchone() == ("on",)


@pytest.mark.usefixtures("table")
async def test_connections_that_died_while_idle_are_replaced_without_anybody_noticing(db: Database) -> None:
    async def fill() -> None:
        async with db.transaction() as tx, db.read() as other:
            await tx.execute("select pg_sleep(0.05)")
            await other.execute("select 1")

    await asyncio.gather(*[fill() for _ in range(6)])
    for turn in range(3):
        assert _terminate_all(db) >= 4
        began = time.monotonic()
        async with db.transaction() as tx:
            await tx.execute("insert into probe.entry values (%s, 1)", [turn])
        assert await _count(db) == turn + 1
        async with db.snapshot() as tx:
            await tx.execute("select 1")
        assert time.monotonic() - began < 2
        await asyncio.gather(*[fill() for _ in range(6)])


@pytest.mark.usefixtures("table")
async def test_a_connection_lost_inside_leaves_nothing_behind(db: Database) -> None:
    with pytest.raises(psycopg.OperationalError):
        async with db.transaction() as tx:
            await tx.execute("insert into probe.entry values (1, 10)")
            await asyncio.to_thread(_terminate_all, db)
            await tx.execute("insert into probe.entry values (2, 20)")
    assert await _count(db) == 0


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("how", ["read", "newest", "snapshot"])
async def test_a_connection_lost_while_reading_is_said_to_be_the_database(db: Database, how: str) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with getattr(db, how)() as tx:
            await tx.execute("select count(*) from probe.entry")
            await asyncio.to_thread(_terminate_all, db)
            await tx.execute("select count(*) from probe.entry")
    assert await _count(db) == 0


async def test_more_than_the_pool_holds_wait_and_are_served(database_url: str) -> None:
    small = Database(database_url, connections_max=2)
    await small.open()

    async def one(number: int) -> int:
        async with small.transaction() as tx:
            row = await (await tx.execute("select %s::int + 0 * length(pg_sleep(0.01)::text)", [number])).fetchone()
        assert row is not None
        return int(row[0])

    assert await asyncio.gather(*[one(number) for number in range(60)]) == list(range(60))
    await small.close()


async def test_a_busy_pool_is_told_within_the_time_asked_for(database_url: str) -> None:
    small = Database(database_url, connections_max=1)
    await small.open()
    async with small.read():
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable) as told:
            async with small.read(wait_seconds=0.3):
                raise AssertionError("never given")
        assert 0.25 < time.monotonic() - began < 2
    assert (told.value.status, told.value.fields) == (503, {"retry_after": 2})
    await small.close()


async def test_a_server_that_is_gone_is_said_to_be_unavailable_and_is_found_again(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    postgres = EmbeddedPostgres(tmp_path)
    postgres.start()
    database = Database(postgres.url, connections_max=4)
    await database.open()
    try:
        async with database.transaction() as tx:
            await tx.execute("create table public.kept (id int)")
            await tx.execute("insert into public.kept values (7)")
        postgres.stop()
        for given in (database.read(wait_seconds=0.5), database.connection()):
            with pytest.raises(DatabaseUnavailable):
                async with given:
                    raise AssertionError("never given")
        await asyncio.sleep(4)
        await asyncio.to_thread(postgres.start)
        began = time.monotonic()
        async with database.transaction() as tx:
            assert await (await tx.execute("select id from public.kept")).fetchall() == [(7,)]
        assert time.monotonic() - began < 3, "found again within a second or two, however long it was away"
    finally:
        await database.close()
        postgres.stop()
    assert postgres.pid is None


@pytest.mark.usefixtures("table")
async def test_a_cancelled_transaction_is_rolled_back_and_its_connection_is_used_again(db: Database) -> None:
    async def slow() -> None:
        async with db.transaction() as tx:
            await tx.execute("insert into probe.entry values (1, 10)")
            await tx.execute("select pg_sleep(30)")

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _count(db) == 0


async def test_who_is_cancelled_while_a_connection_comes_is_cancelled_and_the_connection_is_used_again(
    database_url: str,
) -> None:
    small = Database(database_url, connections_max=1)
    await small.open()

    async def work() -> None:
        async with small.transaction() as tx:
            await tx.execute("select 1")

    for passes in range(20):
        async with small.transaction():
            waiting = asyncio.create_task(work())
            await asyncio.sleep(0.01)
        for _ in range(passes):
            await asyncio.sleep(0)
        if waiting.cancel():
            with pytest.raises(asyncio.CancelledError):
                await waiting
    await work()
    await small.close()


async def test_waiting_for_a_connection_is_told_to_the_load_control(db: Database) -> None:
    control = LoadControl(busy=lambda: 0.0)
    control.close_window(0.0)
    narrow = Database(db.url, connections_max=1, load=control)
    await narrow.open()
    try:

        async def work() -> None:
            async with narrow.transaction() as tx:
                await tx.execute("select pg_sleep(0.05)")

        for window, many in ((1.0, 6), (2.0, 10)):
            await asyncio.gather(*[work() for _ in range(many)])
            for _ in range(200):
                control.asks(3, 0.1)
            control.close_window(window)
    finally:
        await narrow.close()
    assert control.admitting < 1, "nine of ten waited for 50 ms and more, and it grew worse"
