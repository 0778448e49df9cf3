"""The SQL of going in, for a whole batch of called places; the gate is locked by the caller."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.gate.queue.rows import Admitted, Came, EntryRow, Spot

_ENTRY = "serial, called_at, came_at, asked_at, returned, entered_at, expires_at, purchases, ended_at, ended_by"


async def entries(tx: Tx, line_id: int, serials: Sequence[int]) -> dict[int, EntryRow]:
    """Return the entries of those places whose owners came, locked until the transaction ends."""
    async with tx.cursor(row_factory=class_row(EntryRow)) as cursor:
        await cursor.execute(
            f"select {_ENTRY} from queue.entry where line_id = %s and serial = any(%s) order by serial for update",
            [line_id, list(serials)],
        )
        return {each.serial: each for each in await cursor.fetchall()}


async def holders(tx: Tx, line_id: int, serials: Sequence[int]) -> dict[int, tuple[UUID, UUID]]:
    """Return account and device of those places that are not given up."""
    rows = await tx.execute(
        "select serial, account_id, device from queue.place"
        " where line_id = %s and serial = any(%s) and left_at is null",
        [line_id, list(serials)],
    )
    return {serial: (account_id, device) for serial, account_id, device in await rows.fetchall()}


async def called_at(tx: Tx, line_id: int, spots: Mapping[int, Spot]) -> dict[int, datetime | None]:
    """Return when each place, by its serial, was called where it stands, or None."""
    rows = await tx.execute(
        "select p.serial, case when p.number > 0 then ("
        "  select called_at from queue.call c where c.line_id = %(line)s and c.lane = p.lane"
        "  and c.late_called >= p.number order by c.late_called, c.call_id limit 1"
        " ) else ("
        "  select called_at from queue.call c where c.line_id = %(line)s and c.lane = p.lane"
        "  and c.threshold > p.rank order by c.threshold, c.call_id limit 1"
        " ) end from unnest(%(serials)s::bigint[], %(lanes)s::smallint[], %(ranks)s::numeric[], %(numbers)s::bigint[])"
        " as p (serial, lane, rank, number)",
        {
            "line": line_id,
            "serials": list(spots),
            "lanes": [spot.lane for spot in spots.values()],
            "ranks": [None if spot.rank is None else str(spot.rank) for spot in spots.values()],
            "numbers": [spot.number for spot in spots.values()],
        },
    )
    return dict(await rows.fetchall())


async def come(tx: Tx, line_id: int, came: Sequence[Came], now: datetime) -> None:
    """Record that called shoppers came, or came back; never before the call, whose clock may be another machine's."""
    if not came:
        return
    await tx.execute(
        "insert into queue.entry (line_id, serial, account_id, device, called_at, came_at, asked_at, returned)"
        " select %(line)s, serial, account_id, device, called_at, greatest(%(now)s, called_at), %(now)s, returned"
        " from json_to_recordset(%(rows)s::json)"
        " as new (serial bigint, account_id uuid, device uuid, called_at timestamptz, returned boolean)"
        " on conflict (line_id, serial) do update set asked_at = excluded.asked_at,"
        " returned = excluded.returned, ended_at = null, ended_by = null",
        {"line": line_id, "now": now, "rows": msgspec.json.encode(came).decode()},
    )


async def ask_again(tx: Tx, line_id: int, serials: Sequence[int], now: datetime) -> None:
    """Note that some who came still wait for room."""
    if serials:
        await tx.execute(
            "update queue.entry set asked_at = %s where line_id = %s and serial = any(%s)",
            [now, line_id, list(serials)],
        )


async def admit(tx: Tx, line_id: int, admitted: Sequence[Admitted], now: datetime) -> None:
    """Let some who came in. A constraint refuses one more than the cap, and a second time on one place. As for coming,
    nobody enters before the call, whose clock may be another one.
    """
    if not admitted:
        return
    await tx.execute(
        "update queue.entry e set entered_at = greatest(%(now)s, e.called_at), expires_at = new.expires_at,"
        " inside_then = new.inside, cap_then = new.cap from json_to_recordset(%(rows)s::json)"
        " as new (serial bigint, expires_at timestamptz, inside integer, cap integer)"
        " where e.line_id = %(line)s and e.serial = new.serial and e.entered_at is null",
        {"line": line_id, "now": now, "rows": msgspec.json.encode(admitted).decode()},
    )
