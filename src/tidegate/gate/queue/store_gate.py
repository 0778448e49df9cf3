"""The SQL of a line's gate: who is inside, who came, what staff did, what the last step saw."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.gate.queue.contracts import GateAct, GateRecord, SteerGate
from tidegate.gate.queue.rows import EntryRow, GateRow, Inside
from tidegate.gate.queue.steering import GateSettings, settings_of

_ENTRY = "serial, called_at, came_at, asked_at, returned, entered_at, expires_at, purchases, ended_at, ended_by"
_ACTS_MAX = 1_000
_GATE = (
    "inside, called, passed, came, entered, returned, bought, ended, left_line, rate_credit, stepped_at, state,"
    " sellable, held, load_factor, present"
)


async def gate(tx: Tx, line_id: int) -> GateRow:
    """Return what is counted of a line."""
    async with tx.cursor(row_factory=class_row(GateRow)) as cursor:
        await cursor.execute(f"select {_GATE} from queue.gate where line_id = %s", [line_id])
        found = await cursor.fetchone()
    assert found is not None, "a line is opened together with its gate"
    return found


async def lock_gate(tx: Tx, line_id: int) -> GateRow:
    """Lock the gate until the transaction ends, and return it."""
    async with tx.cursor(row_factory=class_row(GateRow)) as cursor:
        await cursor.execute(f"select {_GATE} from queue.gate where line_id = %s for update", [line_id])
        found = await cursor.fetchone()
    assert found is not None, "a line is opened together with its gate"
    return found


async def write_gate(tx: Tx, line_id: int, row: GateRow) -> None:
    """Write what a step saw and counted; the gate is locked by the caller."""
    await tx.execute(
        "update queue.gate set rate_credit = %s, stepped_at = %s, state = %s, sellable = %s, held = %s,"
        " load_factor = %s, present = %s where line_id = %s",
        [row.rate_credit, row.stepped_at, row.state, row.sellable, row.held, row.load_factor, row.present, line_id],
    )


async def count(
    tx: Tx,
    line_id: int,
    *,
    inside: int = 0,
    called: int = 0,
    passed: int = 0,
    came: int = 0,
    entered: int = 0,
    returned: int = 0,
    bought: int = 0,
    ended: int = 0,
    left: int = 0,
) -> None:
    """Add to the gate's counts."""
    await tx.execute(
        "update queue.gate set inside = inside + %s, called = called + %s, passed = passed + %s, came = came + %s,"
        " entered = entered + %s, returned = returned + %s, bought = bought + %s, ended = ended + %s,"
        " left_line = left_line + %s where line_id = %s",
        [inside, called, passed, came, entered, returned, bought, ended, left, line_id],
    )


async def entry(tx: Tx, line_id: int, serial: int) -> EntryRow | None:
    """Return the entry of a place whose owner came."""
    async with tx.cursor(row_factory=class_row(EntryRow)) as cursor:
        await cursor.execute(f"select {_ENTRY} from queue.entry where line_id = %s and serial = %s", [line_id, serial])
        return await cursor.fetchone()


async def renew(tx: Tx, line_id: int, serials: Sequence[int], expires_at: datetime) -> None:
    """Let those inside stay longer."""
    if not serials:
        return
    await tx.execute(
        "update queue.entry set expires_at = %s where line_id = %s and serial = any(%s) and ended_at is null",
        [expires_at, line_id, list(serials)],
    )


async def set_back(tx: Tx, line_id: int, now: datetime, expires_at: datetime) -> None:
    """After the clock was set back to `now`: no pass lasts beyond `expires_at`, and nobody asked in the future."""
    await tx.execute(
        "update queue.entry set asked_at = least(asked_at, %(now)s), expires_at = least(expires_at, %(expires)s)"
        " where line_id = %(line)s and ended_at is null and (asked_at > %(now)s or expires_at > %(expires)s)",
        {"line": line_id, "now": now, "expires": expires_at},
    )


async def end(tx: Tx, line_id: int, serials: Sequence[int], by: str, now: datetime) -> int:
    """End entries; return how many of them were inside."""
    if not serials:
        return 0
    rows = await tx.execute(
        "update queue.entry set ended_at = %s, ended_by = %s"
        " where line_id = %s and serial = any(%s) and ended_at is null returning entered_at is not null",
        [now, by, line_id, list(serials)],
    )
    return sum(inside for (inside,) in await rows.fetchall())


async def inside(tx: Tx, line_id: int) -> list[Inside]:
    """Return who is inside, and since when: whoever goes in has asked at that moment, by the same clock."""
    async with tx.cursor(row_factory=class_row(Inside)) as cursor:
        await cursor.execute(
            "select serial, account_id, least(entered_at, asked_at) as entered_at, expires_at from queue.entry"
            " where line_id = %s and ended_at is null and entered_at is not null",
            [line_id],
        )
        return await cursor.fetchall()


async def absent(tx: Tx, line_id: int, before: datetime) -> dict[int, bool]:
    """Return the places of those who came, found no room, and have not asked since then; and whether they returned."""
    rows = await tx.execute(
        "select serial, returned from queue.entry"
        " where line_id = %s and ended_at is null and entered_at is null and asked_at < %s",
        [line_id, before],
    )
    return dict(await rows.fetchall())


async def ready(tx: Tx, line_id: int) -> int:
    """Return how many came and wait for room."""
    row = await (
        await tx.execute(
            "select count(*) from queue.entry where line_id = %s and ended_at is null and entered_at is null", [line_id]
        )
    ).fetchone()
    return int(row[0]) if row else 0


async def came_since(tx: Tx, line_id: int, since: datetime, until: datetime) -> int:
    """Return how many of those called between the two came."""
    row = await (
        await tx.execute(
            "select count(*) from queue.entry where line_id = %s and came_at >= %s and called_at between %s and %s",
            [line_id, since, since, until],
        )
    ).fetchone()
    return int(row[0]) if row else 0


async def moved_since(tx: Tx, line_id: int, since: datetime) -> tuple[int, int]:
    """Return how many entered and how many ended since then."""
    row = await (
        await tx.execute(
            "select (select count(*) from queue.entry where line_id = %(line)s and entered_at >= %(since)s),"
            " (select count(*) from queue.entry where line_id = %(line)s and ended_at >= %(since)s)",
            {"line": line_id, "since": since},
        )
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


async def put_purchases(tx: Tx, line_id: int, purchases: Mapping[int, int]) -> int:
    """Write how often those inside bought, by place; return how many of them bought for the first time."""
    if not purchases:
        return 0
    rows = await tx.execute(
        "with new as (select * from unnest(%s::bigint[], %s::integer[]) as new (serial, purchases)),"
        " old as (select e.serial, e.purchases from queue.entry e join new using (serial) where e.line_id = %s),"
        " written as (update queue.entry e set purchases = new.purchases from new"
        "             where e.line_id = %s and e.serial = new.serial and e.purchases <> new.purchases)"
        " select count(*) from old join new using (serial) where old.purchases = 0 and new.purchases > 0",
        [list(purchases), list(purchases.values()), line_id, line_id],
    )
    row = await rows.fetchone()
    return int(row[0]) if row else 0


async def shut_out(tx: Tx, line_id: int, since: datetime) -> frozenset[UUID]:
    """Return the accounts whose entry ended since then and who are not inside on another place."""
    rows = await tx.execute(
        "select distinct account_id from queue.entry e where line_id = %s and ended_at >= %s and entered_at is not null"
        " and not exists (select from queue.entry o where o.line_id = e.line_id and o.account_id = e.account_id"
        "                 and o.ended_at is null)",
        [line_id, since],
    )
    return frozenset(account for (account,) in await rows.fetchall())


async def record_act(tx: Tx, line_id: int, command: SteerGate, by: str, now: datetime) -> GateRecord:
    """Record an act of staff."""
    row = await (
        await tx.execute(
            "insert into queue.act (line_id, act, per_minute, note, reason, acted_by, acted_at)"
            " values (%s, %s, %s, %s, %s, %s, %s) returning act_id",
            [line_id, str(command.act), command.per_minute, command.note, command.reason, by, now],
        )
    ).fetchone()
    assert row is not None
    return GateRecord(
        number=row[0],
        act=command.act,
        per_minute=command.per_minute,
        note=command.note,
        reason=command.reason,
        by=by,
        at=now,
    )


async def acts(tx: Tx, line_id: int, limit: int) -> list[GateRecord]:
    """Return what staff did, newest first."""
    rows = await tx.execute(
        "select act_id, act, per_minute, note, reason, acted_by, acted_at from queue.act where line_id = %s"
        " order by act_id desc limit %s",
        [line_id, limit],
    )
    return [
        GateRecord(
            number=row[0], act=GateAct(row[1]), per_minute=row[2], note=row[3], reason=row[4], by=row[5], at=row[6]
        )
        for row in await rows.fetchall()
    ]


async def settings(tx: Tx, line_id: int) -> GateSettings:
    """Return what the acts of staff come to."""
    return settings_of((await acts(tx, line_id, _ACTS_MAX))[::-1])
