"""The SQL of a line's places and lanes. Locks: the line, then its lanes, then its gate."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.gate.queue.contracts import AnnouncedNumber
from tidegate.gate.queue.draw import BEHIND
from tidegate.gate.queue.public_number import PublishedNumber
from tidegate.gate.queue.rows import SLOW, CallRow, HeldPlace, LaneRow, LineRow, Move, NewPlace
from tidegate.offer.campaign.contracts import QueueLane

_encode = msgspec.json.Encoder().encode
_LINE = (
    "line_id, campaign_id, opened_at, seed_sealed, seed_hash, next_serial, sealed_at, sealed_count, root, revealed_at,"
    " seed, announced, rooted_at, number_text, number_proof, number_missed"
)


async def open_line(
    tx: Tx,
    campaign_id: str,
    lanes: Sequence[QueueLane],
    slow_share: int,
    *,
    seed_sealed: bytes,
    seed_hash: bytes,
    announced: AnnouncedNumber | None,
    now: datetime,
) -> None:
    """Open a campaign's line with its lanes, the hash of its seed and what is announced; nothing where it is open.

    The slow lane, if it has a share, stands behind the others.
    """
    made = await (
        await tx.execute(
            "insert into queue.line (campaign_id, opened_at, seed_sealed, seed_hash, announced)"
            " values (%s, %s, %s, %s, %s) on conflict (campaign_id) do nothing returning line_id",
            [campaign_id, now, seed_sealed, seed_hash, _encode(announced).decode() if announced else None],
        )
    ).fetchone()
    if made is None:
        return
    await tx.execute("insert into queue.gate (line_id) values (%s)", [made[0]])
    rows = [(lane.name, lane.label.zh, lane.label.en, lane.share, str(lane.audience)) for lane in lanes]
    if slow_share:
        rows.append((SLOW, "慢速通道", "Slow lane", slow_share, SLOW))
    for number, row in enumerate(rows):
        await tx.execute(
            "insert into queue.lane (line_id, lane, name, label_zh, label_en, share, audience)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [made[0], number, *row],
        )


async def line(tx: Tx, campaign_id: str, *, lock: bool = False) -> LineRow | None:
    """Return a campaign's line, locked until the transaction ends where asked for.

    `no key update`: its key never changes, and a gate that is written twice in one transaction has its foreign key
    checked, which waits for `for update`: with who takes a place waiting for a lane, that closed a circle.
    """
    lock_clause = " for no key update" if lock else ""
    async with tx.cursor(row_factory=class_row(LineRow)) as cursor:
        await cursor.execute(f"select {_LINE} from queue.line where campaign_id = %s{lock_clause}", [campaign_id])
        return await cursor.fetchone()


async def lanes(tx: Tx, line_id: int) -> list[LaneRow]:
    """Return a line's lanes in their order."""
    rows = await tx.execute(
        "select lane, name, label_zh, label_en, share, audience, drawn, late, threshold::text, late_called, credit"
        " from queue.lane where line_id = %s order by lane",
        [line_id],
    )
    return [
        LaneRow(
            lane=row[0], name=row[1], label_zh=row[2], label_en=row[3], share=row[4], audience=row[5], drawn=row[6],
            late=row[7], threshold=int(row[8]), late_called=row[9], credit=row[10],
        )
        for row in await rows.fetchall()
    ]  # fmt: skip


async def held(
    tx: Tx, line_id: int, accounts: Sequence[UUID], browsers: Sequence[bytes], instruments: Sequence[bytes]
) -> list[HeldPlace]:
    """Return the live places of these accounts, browsers and instruments.

    Planned anew each time and looked up one by one, and `line_id + 0` fits no index that begins with the line: while a
    line fills nothing is known of it, or what was true of an earlier one, and any other plan reads all its places for
    every batch. Each holder's own index is the only one that fits (0008_lookups_by_one_index.sql,
    0009_one_a_browser.sql).
    """
    async with tx.cursor(row_factory=class_row(HeldPlace)) as cursor:
        await cursor.execute(
            """
            select p.* from unnest(%(accounts)b::uuid[]) asked (account) cross join lateral (
                select serial, lane, number, account_id, device, joined_at, browser, instrument from queue.place
                where line_id + 0 = %(line)s and left_at is null and account_id = asked.account limit 1) p
            union
            select p.* from unnest(%(browsers)b::bytea[]) asked (browser) cross join lateral (
                select serial, lane, number, account_id, device, joined_at, browser, instrument from queue.place
                where line_id + 0 = %(line)s and left_at is null and browser = asked.browser limit 1) p
            union
            select p.* from unnest(%(instruments)b::bytea[]) asked (instrument) cross join lateral (
                select serial, lane, number, account_id, device, joined_at, browser, instrument from queue.place
                where line_id + 0 = %(line)s and left_at is null and instrument = asked.instrument limit 1) p
            """,
            {"line": line_id, "accounts": accounts, "browsers": browsers, "instruments": instruments},
            prepare=False,
        )
        return await cursor.fetchall()


async def networks(tx: Tx, line_id: int, names: Iterable[str]) -> dict[str, int]:
    """Return how many places each of these networks holds."""
    rows = await tx.execute(
        "select network, places from queue.network where line_id = %s and network = any(%s)", [line_id, sorted(names)]
    )
    return dict(await rows.fetchall())


async def give_back_networks(tx: Tx, line_id: int) -> int:
    """Take places that were given up off their networks' counts, each once; return how many. The line is locked.

    A place names its network until then, so that a count is given back exactly once, whatever is killed in between.
    """
    found = await (
        await tx.execute(
            """
            with gone as (
                select serial, network from queue.place
                where line_id = %(line)s and left_at is not null and network is not null
            ), told as (
                update queue.place p set network = null from gone where p.line_id = %(line)s and p.serial = gone.serial
            ), counted as (
                update queue.network n set places = n.places - c.places
                from (select network, count(*) as places from gone group by network) c
                where n.line_id = %(line)s and n.network = c.network
            )
            select count(*) from gone
            """,
            {"line": line_id},
        )
    ).fetchone()
    return int(found[0]) if found else 0


async def write_places(tx: Tx, line_id: int, new: Sequence[NewPlace], now: datetime) -> None:
    """Write new places and count them on the line, its lanes and the networks; the line is locked by the caller."""
    await tx.execute(
        """
        with new as materialized (
            select * from json_to_recordset(%(rows)s::json) as new (serial bigint, lane smallint, number bigint,
                account_id uuid, device uuid, commitment text, browser text, instrument text, network text,
                home_lane smallint, home_number bigint)
        ), placed as (
            insert into queue.place (line_id, lane, serial, number, account_id, device, joined_at, commitment,
                                     browser, instrument, network, home_lane, home_number)
            select %(line)s, lane, serial, number, account_id, device, %(now)s, decode(commitment, 'hex'),
                   decode(browser, 'hex'), decode(instrument, 'hex'), network, home_lane, home_number
            from new
        ), numbered as (
            update queue.line set next_serial = next_serial + (select count(*) from new) where line_id = %(line)s
        ), crowded as (
            insert into queue.network as n (line_id, network, places)
            select %(line)s, network, count(*) from new where network is not null group by network order by network
            on conflict (line_id, network) do update set places = n.places + excluded.places
        )
        update queue.lane l
        set drawn = l.drawn + c.drawn, late = l.late + c.late
        from (
            select lane, count(*) filter (where number = 0) as drawn, count(*) filter (where number > 0) as late
            from new group by lane
        ) c
        where l.line_id = %(line)s and l.lane = c.lane
        """,
        {"line": line_id, "rows": _encode(new).decode(), "now": now},
    )


async def move_places(tx: Tx, line_id: int, moves: Sequence[Move], now: datetime) -> None:
    """Let places go along to other devices."""
    for move in moves:
        await tx.execute(
            "update queue.place set device = %s, browser = %s where line_id = %s and serial = %s",
            [move.to_device, move.browser, line_id, move.serial],
        )
        await tx.execute(
            "insert into queue.move (line_id, serial, from_device, to_device, moved_at) values (%s, %s, %s, %s, %s)",
            [line_id, move.serial, move.from_device, move.to_device, now],
        )


async def leave(tx: Tx, line_id: int, serial: int, now: datetime) -> bool:
    """Give up a place; False where it was given up before."""
    left = await tx.execute(
        "update queue.place set left_at = %s where line_id = %s and serial = %s and left_at is null",
        [now, line_id, serial],
    )
    return left.rowcount == 1


async def retire(tx: Tx, line_id: int, serials: Sequence[int], now: datetime) -> None:
    """Take used places out of the line, so that their owners may take new ones."""
    if not serials:
        return
    await tx.execute(
        "update queue.place set left_at = %s where line_id = %s and serial = any(%s) and left_at is null",
        [now, line_id, list(serials)],
    )


async def seal(tx: Tx, line_id: int, now: datetime) -> None:
    """Close the list of drawn places."""
    await tx.execute(
        "update queue.line set sealed_at = %s, sealed_count = next_serial where line_id = %s and sealed_at is null",
        [now, line_id],
    )


async def put_root(tx: Tx, line_id: int, root: bytes, subtrees: Sequence[bytes], now: datetime) -> None:
    """Publish the root of the sealed list, and keep those of its parts."""
    put = await tx.execute(
        "update queue.line set root = %s, rooted_at = %s where line_id = %s and root is null", [root, now, line_id]
    )
    if put.rowcount == 1:
        await tx.execute(
            "insert into queue.subtree (line_id, number, root) select %s, number - 1, root"
            " from unnest(%s::bytea[]) with ordinality as part (root, number)",
            [line_id, list(subtrees)],
        )


async def put_number(tx: Tx, line_id: int, number: PublishedNumber, by: str, now: datetime) -> bool:
    """Write the public number, once; False where there is one, where it was missed, or where none was announced."""
    put = await tx.execute(
        "update queue.line set number_text = %s, number_proof = %s, number_by = %s, number_at = %s where line_id = %s"
        " and announced is not null and root is not null and number_text is null and number_missed is null",
        [number.text, number.proof, by, now, line_id],
    )
    return put.rowcount == 1


async def miss_number(tx: Tx, line_id: int, why: str) -> None:
    """Write that the draw does without its public number, and why."""
    await tx.execute(
        "update queue.line set number_missed = %s where line_id = %s and number_text is null and number_missed is null",
        [why, line_id],
    )


async def reveal(tx: Tx, line_id: int, seed: bytes, now: datetime) -> None:
    """Publish the seed."""
    await tx.execute(
        "update queue.line set seed = %s, revealed_at = %s where line_id = %s and seed is null", [seed, now, line_id]
    )


async def sealed(tx: Tx, line_id: int, start: int, limit: int) -> list[tuple[int, int, bytes]]:
    """Return serial, lane and commitment of the places in the sealed list in the order of serials: all that were taken
    before the sealing, those given up included, and those that stand behind the drawn, with BEHIND added to their lane.
    """
    rows = await tx.execute(
        "select p.serial, p.lane + case when p.number > 0 then %s else 0 end, p.commitment"
        " from queue.line l join queue.place p using (line_id)"
        " where line_id = %s and p.serial >= %s and p.serial < l.sealed_count order by p.serial limit %s",
        [BEHIND, line_id, start, limit],
    )
    return await rows.fetchall()


async def drawn(tx: Tx, line_id: int, limit: int) -> list[tuple[int, int]]:
    """Return serial and lane of the drawn places in the order of serials, those given up included."""
    rows = await tx.execute(
        "select serial, lane from queue.place where line_id = %s and number = 0 order by serial limit %s",
        [line_id, limit],
    )
    return await rows.fetchall()


async def late_waiting(tx: Tx, line_id: int) -> list[tuple[int, int, int]]:
    """Return lane, number and serial of the late places that are not called yet, in the order of their numbers."""
    rows = await tx.execute(
        "select lane, p.number, p.serial from queue.lane l join queue.place p using (line_id, lane)"
        " where line_id = %s and p.number > 0 and p.number > l.late_called order by lane, p.number",
        [line_id],
    )
    return await rows.fetchall()


async def write_lanes(tx: Tx, line_id: int, rows: Sequence[LaneRow]) -> None:
    """Write how far lanes were called."""
    for lane in rows:
        await tx.execute(
            "update queue.lane set threshold = %s::numeric, late_called = %s, credit = %s"
            " where line_id = %s and lane = %s",
            [str(lane.threshold), lane.late_called, lane.credit, line_id, lane.lane],
        )


async def write_calls(tx: Tx, line_id: int, calls: Sequence[CallRow]) -> None:
    """Record calls, in their order."""
    for call in calls:
        await tx.execute(
            "insert into queue.call (line_id, lane, threshold, late_called, calls, called_at)"
            " values (%s, %s, %s::numeric, %s, %s, %s)",
            [line_id, call.lane, str(call.threshold), call.late_called, call.calls, call.called_at],
        )


async def called_at(tx: Tx, line_id: int, lane: int, *, rank: int | None, number: int) -> datetime | None:
    """Return when a place was called, or None."""
    if number:
        found = await tx.execute(
            "select called_at from queue.call where line_id = %s and lane = %s and late_called >= %s"
            " order by late_called, call_id limit 1",
            [line_id, lane, number],
        )
    else:
        found = await tx.execute(
            "select called_at from queue.call where line_id = %s and lane = %s and threshold > %s::numeric"
            " order by threshold, call_id limit 1",
            [line_id, lane, str(rank)],
        )
    row = await found.fetchone()
    return row[0] if row else None


async def calls_since(tx: Tx, line_id: int, since: datetime, until: datetime) -> dict[int, int]:
    """Return how many were called of each lane between the two."""
    rows = await tx.execute(
        "select lane, sum(calls)::bigint from queue.call where line_id = %s and called_at between %s and %s"
        " group by lane",
        [line_id, since, until],
    )
    return dict(await rows.fetchall())
