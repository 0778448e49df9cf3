"""A transaction through the pipeline, against PostgreSQL: answers, faults, large batches, lost and given up ones."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
from psycopg.rows import class_row, scalar_row

from tidegate.base import columns
from tidegate.base.db import Database, together
from tidegate.base.pipeline import Connection

pytestmark = pytest.mark.database

_LARGE = 8_000_000
"""More than a socket takes at once, in both directions."""


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    text: str


@pytest.fixture
async def narrow(db: Database) -> AsyncIterator[Database]:
    """A database with one connection, and a table."""
    async with db.transaction() as tx:
        await tx.execute("create schema probe")
        await tx.execute("create table probe.entry (id int primary key, text text not null)")
    narrow = Database(db.url, connections_max=1)
    await narrow.open()
    yield narrow
    await narrow.close()


async def test_answers_belong_to_their_statements(narrow: Database) -> None:
    async with narrow.pipelined() as tx:
        first = await tx.execute("insert into probe.entry values (%s, %s), (%s, '100 %%')", [1, "one", 2])
        second = await tx.execute(
            "select id, text from probe.entry where id <= %(most)s and id <> -%(most)s", {"most": 2}
        )
        third = await tx.execute("select text from probe.entry where id = any(%s) and text <> %s", [[1, 7], "x"])
        none = await tx.execute("select null::int, %b::uuid, %t::text[]", [UUID(int=7), None])
        array = await tx.execute(
            "select %(ids)b::uuid[] = array[%(id)t]::uuid[]", {"id": UUID(int=7), "ids": [UUID(int=7)]}
        )
        assert await third.fetchall() == [("one",)]
        assert await second.fetchall() == [(1, "one"), (2, "100 %")]
        assert await array.fetchone() == (True,)
        assert await none.fetchone() == (None, UUID(int=7), None)
        assert await (await tx.execute("select 1 where false")).fetchone() is None
        async with tx.cursor(row_factory=class_row(_Entry)) as cursor:
            await cursor.execute("select id, text from probe.entry where id = 1")
            assert await cursor.fetchone() == _Entry(id=1, text="one")
        async with tx.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute("select id from probe.entry order by id desc")
            assert await cursor.fetchall() == [2, 1]
        with pytest.raises(psycopg.ProgrammingError, match="no rows"):
            await first.fetchall()


async def test_several_wait_at_once(narrow: Database) -> None:
    async def asked(tx: Any, number: int) -> int:
        row = await (await tx.execute("select %s::int, pg_sleep(0.01)", [number])).fetchone()
        return int(row[0])

    async with narrow.pipelined() as tx:
        assert await together(*[asked(tx, number) for number in range(4)]) == (0, 1, 2, 3)


async def test_a_batch_larger_than_the_socket_takes_goes_both_ways(narrow: Database) -> None:
    texts = [str(number) * _LARGE for number in range(3)]
    async with narrow.pipelined() as tx:
        found = await tx.execute("select * from unnest(%s)", [columns.texts(texts)])
        await tx.execute(
            "insert into probe.entry select * from unnest(%s::int[], %s)", [[1, 2, 3], columns.texts(texts)]
        )
        assert [text for (text,) in await found.fetchall()] == texts
    async with narrow.read() as tx:
        rows = await tx.execute("select text from probe.entry order by id")
        assert [text for (text,) in await rows.fetchall()] == texts


async def test_an_answer_that_comes_while_nothing_can_be_written_is_not_overlooked(narrow: Database) -> None:
    async with asyncio.timeout(10), narrow.pipelined() as tx:
        waiting = asyncio.ensure_future((await tx.execute("select 7")).fetchall())
        await asyncio.sleep(0)
        time.sleep(0.2)  # noqa: ASYNC251  # the answer is in the socket, and libpq reads it when it cannot write on
        await tx.execute("insert into probe.entry values (1, %s)", ["x" * _LARGE])
        assert await waiting == [(7,)]


async def test_what_was_broken_first_is_what_is_raised(narrow: Database) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        async with narrow.pipelined() as tx:
            await tx.execute("insert into probe.entry values (1, 'one')")
            await tx.execute("insert into probe.entry values (1, 'again')")
            after = await tx.execute("select 1 / 0")
            with pytest.raises(psycopg.errors.UniqueViolation):
                await after.fetchall()
            with pytest.raises(psycopg.errors.UniqueViolation):
                await (await tx.execute("select 1")).fetchall()
    assert await _ids(narrow) == []


async def test_a_plan_is_made_once_and_a_faulty_one_is_not_kept(narrow: Database) -> None:
    for _ in range(3):
        with pytest.raises(psycopg.errors.UndefinedTable):
            async with narrow.pipelined() as tx:
                await tx.execute("insert into probe.later values (1)")
        async with narrow.pipelined() as tx:
            await tx.execute("insert into probe.entry values (%s, 'x') on conflict do nothing", [1])
    async with narrow.pipelined() as tx:
        made = await tx.execute("select count(*) from pg_prepared_statements where statement like %s", ["insert%"])
        assert await made.fetchone() == (1,)
    async with narrow.transaction() as tx:
        await tx.execute("create table probe.later (id int)")
    async with narrow.pipelined() as tx:
        await tx.execute("insert into probe.later values (1)")


async def test_plans_that_psycopg_deallocates_are_made_again(narrow: Database) -> None:
    for _ in range(3):
        async with narrow.pipelined() as tx:
            assert await (await tx.execute("select %s::int", [7])).fetchone() == (7,)
        for _ in range(8):  # so that psycopg itself has something prepared
            with pytest.raises(RuntimeError, match="no"):
                async with narrow.transaction() as tx:
                    await tx.execute("select %s::text", ["x"])
                    raise RuntimeError("no")
        for _ in range(8):
            async with narrow.transaction() as tx:
                await tx.execute("select %s::text", ["x"])
        with pytest.raises(RuntimeError, match="no"):
            async with narrow.transaction() as tx:
                await tx.execute("select %s::text", ["x"])
                raise RuntimeError("no")
        async with narrow.transaction() as tx:
            await tx.execute("select %s::text", ["x"])


async def test_who_is_cancelled_leaves_nothing_behind_and_nobody_waits_for_him(narrow: Database) -> None:
    async def stuck() -> None:
        async with narrow.pipelined() as tx:
            await tx.execute("insert into probe.entry values (1, 'one')")
            await (await tx.execute("select pg_sleep(60)")).fetchall()

    task = asyncio.create_task(stuck())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(10), narrow.pipelined() as tx:
        await tx.execute("insert into probe.entry values (2, 'two')")
    assert await _ids(narrow) == [2]


async def test_a_connection_that_is_lost_is_noticed_by_all_who_wait(narrow: Database) -> None:
    with pytest.raises(psycopg.OperationalError):
        async with asyncio.timeout(10), narrow.pipelined() as tx:
            assert isinstance(tx, Connection)
            await tx.execute("insert into probe.entry values (1, 'one')")
            waiting = await tx.execute("select pg_sleep(60)")
            asyncio.get_running_loop().call_later(0.2, _terminate, narrow.url, tx.pgconn.backend_pid)
            await waiting.fetchall()
    assert await _ids(narrow) == []
    async with narrow.pipelined() as tx:
        await tx.execute("insert into probe.entry values (2, 'two')")
    assert await _ids(narrow) == [2]


def _terminate(url: str, process_id: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_terminate_backend(%s)", [process_id])


async def _ids(db: Database) -> list[int]:
    async with db.read() as tx:
        return [row[0] for row in await (await tx.execute("select id from probe.entry order by id")).fetchall()]
