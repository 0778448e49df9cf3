"""Work for later, on Procrastinate: deferred in the caller's transaction, done by the worker process.

A job may run more than once (its worker can die after the work and before the record): every task is idempotent.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from time import perf_counter
from typing import Any

import msgspec
import psycopg
from procrastinate import App, PsycopgConnector, RetryStrategy

from tidegate.base.db import DatabaseUnavailable, Tx
from tidegate.base.metrics import faults

log = logging.getLogger(__name__)

Task = Callable[..., Awaitable[None]]
Step = Callable[[], Awaitable[object]]

_STALLED_SECONDS = 30
_NIGHTLY = "30 19 * * *"


class Backlog(msgspec.Struct, frozen=True):
    """Jobs that wait although they are due, and jobs that gave up."""

    waiting: int
    failed: int


class Jobs:
    """The queue: tasks by name, jobs deferred to them, and steps that the worker repeats."""

    def __init__(self, database_url: str) -> None:
        self._app = App(
            connector=PsycopgConnector(conninfo=database_url, kwargs={"options": "-c search_path=procrastinate"})
        )
        self._steps: list[tuple[float, str, Step, float]] = []

    def task(self, name: str, work: Task, *, attempts_max: int = 10) -> None:
        """Register `work` under `name`; a failing job is tried again after 2, 4, 8 ... seconds."""
        retry = RetryStrategy(max_attempts=attempts_max, exponential_wait=2)
        self._app.task(name=name, retry=retry)(work)

    def every(self, seconds: float, name: str, step: Step, *, duty: float = 1.0) -> None:
        """Register `step` to be repeated by the worker, `seconds` after it ended.

        A step that takes long pauses longer, so that it is at work for at most a share `duty` of the time.
        """
        self._steps.append((seconds, name, step, duty))

    def nightly(self, name: str, work: Step) -> None:
        """Register `work` to be done once a night, at 19:30 UTC (half past three in China), by one of the workers.

        A night in which no worker ran within ten minutes of that time is left out.
        """

        async def tonight(timestamp: int) -> None:
            del timestamp
            await work()

        task = self._app.task(name=name, retry=RetryStrategy(max_attempts=5, exponential_wait=2))(tonight)
        self._app.periodic(cron=_NIGHTLY)(task)

    async def defer(self, tx: Tx, name: str, /, *, at: datetime | None = None, **arguments: object) -> None:
        """Enqueue a job in this transaction, not to begin before `at`. Arguments must be plain JSON values."""
        await self.defer_many(tx, name, [arguments], at=at)

    async def defer_many(
        self, tx: Tx, name: str, arguments: list[dict[str, object]], *, at: datetime | None = None
    ) -> None:
        """Enqueue one job for each element of `arguments`, in one statement."""
        await tx.execute(
            "select procrastinate_defer_jobs_v1(array(select row('default', %s, 0, null, null, args::jsonb, %s)"
            "::procrastinate_job_to_defer_v1 from unnest(%s::text[]) args))",
            [name, at, [msgspec.json.encode(each).decode() for each in arguments]],
        )

    async def backlog(self, tx: Tx) -> Backlog:
        """Return how many jobs are due and not begun, and how many failed for good."""
        row = await (
            await tx.execute(
                "select count(*) filter (where status = 'todo' and (scheduled_at is null or scheduled_at <= now())),"
                " count(*) filter (where status = 'failed') from procrastinate.procrastinate_jobs"
                " where status in ('todo', 'failed')"
            )
        ).fetchone()
        return Backlog(*row) if row else Backlog(0, 0)

    async def run(self) -> None:
        """Work for ever: jobs, repeated steps, and jobs left behind by a worker that died."""
        self.every(10, "jobs.rescue", self._rescue)
        async with self._app.open_async(), asyncio.TaskGroup() as group:
            group.create_task(self._work())
            for seconds, name, step, duty in self._steps:
                group.create_task(_repeat(seconds, name, step, duty))

    async def _work(self) -> None:
        while True:
            try:
                await self._app.run_worker_async(
                    concurrency=8,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=1.0,
                    delete_jobs="successful",
                )
            except (psycopg.Error, OSError) as fault:
                log.warning("the job queue waits for the database: %s", fault)
            except Exception:
                log.exception("the job queue failed and begins again")
                faults.labels("jobs").inc()
            await asyncio.sleep(1)

    async def _rescue(self) -> None:
        stalled = await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_SECONDS)
        for job in stalled:
            await self._app.job_manager.retry_job(job)


async def _repeat(seconds: float, name: str, step: Step, duty: float) -> None:
    while True:
        began = perf_counter()
        try:
            await step()
        except (DatabaseUnavailable, psycopg.OperationalError):
            log.warning("%s waits for the database", name)
        except Exception:
            log.exception("%s failed and is tried again", name)
            faults.labels(f"step:{name}").inc()
        took = perf_counter() - began
        await asyncio.sleep(max(seconds, took / duty - took))


def plain(value: Any) -> Any:
    """Return `value` (ids, times, structs) as plain JSON values, for a job's arguments."""
    return msgspec.to_builtins(value)
