"""Jobs: deferred with the transaction, tried again, taken over from a dead worker, working through a lost database."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tidegate.base.db import Database
from tidegate.base.jobs import Jobs


@asynccontextmanager
async def _working(jobs: Jobs) -> AsyncIterator[None]:
    task = asyncio.create_task(jobs.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _until(condition, seconds: float = 20) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def _states(db: Database) -> list[tuple[str, str, int]]:
    async with db.read() as tx:
        rows = await tx.execute("select task_name, status, attempts from procrastinate.procrastinate_jobs order by id")
        return [(name, status, attempts) for name, status, attempts in await rows.fetchall()]


async def test_a_transaction_that_rolls_back_enqueues_nothing(db: Database, database_url: str) -> None:
    jobs = Jobs(database_url)
    with pytest.raises(RuntimeError, match="no"):
        async with db.transaction() as tx:
            await jobs.defer(tx, "count", number=1)
            raise RuntimeError("no")
    assert await _states(db) == []
    async with db.transaction() as tx:
        await jobs.defer_many(tx, "count", [{"number": number} for number in range(3)])
    assert await _states(db) == [("count", "todo", 0)] * 3
    async with db.read() as tx:
        backlog = await jobs.backlog(tx)
    assert (backlog.waiting, backlog.failed) == (3, 0)


async def test_jobs_are_done_with_their_arguments_and_a_later_one_waits(db: Database, database_url: str) -> None:
    jobs, done = Jobs(database_url), []

    async def count(number: int, text: str) -> None:
        done.append((number, text))

    jobs.task("count", count)
    async with db.transaction() as tx:
        await jobs.defer(tx, "count", number=7, text="七")
        await jobs.defer(tx, "count", at=datetime.now(UTC) + timedelta(hours=1), number=8, text="later")
        assert (await jobs.backlog(tx)).waiting == 1
    async with _working(jobs):
        await _until(lambda: done)
        await asyncio.sleep(0.3)
    assert done == [(7, "七")]
    assert await _states(db) == [("count", "todo", 0)]


async def test_a_failing_job_is_tried_again(db: Database, database_url: str) -> None:
    jobs, tries = Jobs(database_url), []

    async def fragile() -> None:
        tries.append(datetime.now(UTC))
        if len(tries) == 1:
            raise ConnectionError("not now")

    jobs.task("fragile", fragile)
    async with db.transaction() as tx:
        await jobs.defer(tx, "fragile")
    async with _working(jobs):
        await _until(lambda: len(tries) == 2)
    assert tries[1] - tries[0] >= timedelta(seconds=1.5)


async def test_a_job_whose_worker_died_is_done_by_the_next(db: Database, database_url: str) -> None:
    jobs, done = Jobs(database_url), []

    async def count(number: int) -> None:
        done.append(number)

    jobs.task("count", count)
    async with db.transaction() as tx:
        await jobs.defer(tx, "count", number=1)
        row = await (
            await tx.execute(
                "insert into procrastinate.procrastinate_workers (last_heartbeat) values (now() - interval '5 minutes')"
                " returning id"
            )
        ).fetchone()
        assert row is not None
        await tx.execute(
            "update procrastinate.procrastinate_jobs set status = 'doing', worker_id = %s, attempts = 1", [row[0]]
        )
    async with _working(jobs):
        await _until(lambda: done)
    assert done == [1]


async def test_the_queue_and_the_steps_survive_a_database_that_ends_every_connection(
    db: Database, database_url: str
) -> None:
    jobs, done, steps = Jobs(database_url), [], []

    async def count(number: int) -> None:
        done.append(number)

    async def step() -> None:
        async with db.transaction() as tx:
            await tx.execute("select 1")
        steps.append(1)

    jobs.task("count", count)
    jobs.every(0.05, "step", step)
    async with _working(jobs):
        for turn in range(3):
            async with db.transaction() as tx:
                await jobs.defer(tx, "count", number=turn)
            await _until(lambda turn=turn: turn in done)
            with psycopg.connect(database_url, autocommit=True) as connection:
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )
            stood = len(steps)
            await _until(lambda stood=stood: len(steps) > stood + 3)
        async with db.transaction() as tx:
            await jobs.defer(tx, "count", number=99)
        await _until(lambda: 99 in done)
    assert set(done) == {0, 1, 2, 99}, "a job may be done twice, never not at all"


async def test_a_step_that_takes_long_pauses_longer(database_url: str) -> None:
    jobs, begins, ends = Jobs(database_url), [], []

    async def step() -> None:
        begins.append(time.perf_counter())
        await asyncio.sleep(0.05)
        ends.append(time.perf_counter())

    jobs.every(0.001, "step", step, duty=0.2)
    async with _working(jobs):
        await _until(lambda: len(begins) > 2)
    for began, ended, again in zip(begins, ends, begins[1:], strict=False):
        assert again - began >= 0.99 * (ended - began) / 0.2


async def test_a_step_that_fails_is_repeated_and_stops_nothing_else(db: Database, database_url: str) -> None:
    jobs, good, bad = Jobs(database_url), [], []

    async def failing() -> None:
        bad.append(1)
        raise ValueError("bug")

    async def working() -> None:
        good.append(1)

    jobs.every(0.01, "failing", failing)
    jobs.every(0.01, "working", working)
    async with _working(jobs):
        await _until(lambda: len(bad) > 3 and len(good) > 3)
