"""All SQL of defence: where each one stands, and the record."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.gate.defence.contracts import Defence, Happening, Off, On, RecordEntry, State, Why

_LOCK = 0x646566656E6365  # "defence": one step at a time, whoever takes it


async def lock(tx: Tx) -> None:
    """Wait for the right to take a step, held until the transaction ends."""
    await tx.execute("select pg_advisory_xact_lock(%s)", [_LOCK])


async def try_lock(tx: Tx) -> bool:
    """Take the right to take a step if nobody has it; whether it was taken."""
    row = await (await tx.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])).fetchone()
    return bool(row and row[0])


class _StateRow(msgspec.Struct):
    name: str
    is_on: bool
    defence: str | None
    factor: int | None
    started_at: datetime | None
    stay_until: datetime | None
    expires_at: datetime | None
    started_by: str | None
    quiet_until: datetime | None

    def state(self) -> State:
        if not self.is_on:
            return Off(self.quiet_until)
        assert self.factor is not None
        assert self.started_at is not None
        assert self.stay_until is not None
        assert self.expires_at is not None
        return On(
            defence=Defence(self.defence or ""),
            factor=self.factor,
            started_at=self.started_at,
            stay_until=self.stay_until,
            expires_at=self.expires_at,
            started_by=self.started_by or "",
        )


async def states(tx: Tx) -> dict[str, State]:
    """Where every defence that ever started or was undone stands, by the name of its rule."""
    async with tx.cursor(row_factory=class_row(_StateRow)) as cursor:
        await cursor.execute(
            "select name, is_on, defence, factor, started_at, stay_until, expires_at, started_by, quiet_until"
            " from defence.state order by name"
        )
        return {row.name: row.state() for row in await cursor.fetchall()}


async def put_state(tx: Tx, name: str, state: State) -> None:
    """Keep where a defence stands."""
    on = state if isinstance(state, On) else None
    await tx.execute(
        """
        insert into defence.state
            (name, is_on, defence, factor, started_at, stay_until, expires_at, started_by, quiet_until)
        values
            (%(name)s, %(is_on)s, %(defence)s, %(factor)s, %(started_at)s, %(stay_until)s, %(expires_at)s,
             %(started_by)s, %(quiet_until)s)
        on conflict (name) do update set
            is_on = excluded.is_on, defence = excluded.defence, factor = excluded.factor,
            started_at = excluded.started_at, stay_until = excluded.stay_until, expires_at = excluded.expires_at,
            started_by = excluded.started_by, quiet_until = excluded.quiet_until
        """,
        {
            "name": name,
            "is_on": on is not None,
            "defence": on.defence.value if on else None,
            "factor": on.factor if on else None,
            "started_at": on.started_at if on else None,
            "stay_until": on.stay_until if on else None,
            "expires_at": on.expires_at if on else None,
            "started_by": on.started_by if on else None,
            "quiet_until": state.quiet_until if isinstance(state, Off) else None,
        },
    )


async def add_record(
    tx: Tx,
    *,
    name: str,
    defence: Defence,
    happening: Happening,
    why: Why,
    at: datetime,
    by: str,
    reason: str,
    signals: Mapping[str, float],
) -> int:
    """Write one line of the record; its number."""
    row = await tx.execute(
        """
        insert into defence.record (name, defence, happening, why, at, by_staff, reason, signals)
        values (%(name)s, %(defence)s, %(happening)s, %(why)s, %(at)s, %(by)s, %(reason)s, %(signals)s::jsonb)
        returning record_id
        """,
        {
            "name": name,
            "defence": defence.value,
            "happening": happening.value,
            "why": why.value,
            "at": at,
            "by": by,
            "reason": reason,
            "signals": msgspec.json.encode(signals).decode(),
        },
    )
    added = await row.fetchone()
    assert added is not None
    return int(added[0])


class _RecordRow(msgspec.Struct):
    record_id: int
    name: str
    defence: str
    happening: str
    why: str
    at: datetime
    by: str
    reason: str
    signals: dict[str, float]


async def records(tx: Tx, *, before: int | None, limit: int) -> list[RecordEntry]:
    """Lines of the record, newest first, older than `before`."""
    async with tx.cursor(row_factory=class_row(_RecordRow)) as cursor:
        await cursor.execute(
            """
            select record_id, name, defence, happening, why, at, by_staff as by, reason, signals
            from defence.record
            where %(before)s::bigint is null or record_id < %(before)s
            order by record_id desc
            limit %(limit)s
            """,
            {"before": before, "limit": limit},
        )
        rows = await cursor.fetchall()
    return [msgspec.convert(msgspec.structs.asdict(row), RecordEntry) for row in rows]


async def disagreements(tx: Tx) -> tuple[int, list[str]]:
    """How many defences there are, and those whose state is not what the record says last."""
    rows = await tx.execute(
        """
        select coalesce(state.name, last.name), coalesce(is_on, false) = coalesce(last.happening = 'started', false)
        from defence.state
        full join (
            select distinct on (name) name, happening
            from defence.record
            where happening in ('started', 'ended')
            order by name, record_id desc
        ) last on last.name = state.name
        order by 1
        """
    )
    found = await rows.fetchall()
    return len(found), [name for name, agrees in found if not agrees]
