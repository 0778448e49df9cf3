"""All SQL of presale. Reservations are locked in the order of their ids; every transition is written with its row."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import msgspec
from psycopg.rows import dict_row

from tidegate.base.db import Tx
from tidegate.offer.pricing.contracts import CounterUse
from tidegate.sale.presale.contracts import (
    Reservation,
    ReservationFilter,
    ReservationPage,
    ReservationState,
    Transition,
)
from tidegate.sale.stock.contracts import Fingerprint

_COLUMNS: LiteralString = (
    "reservation_id, buyer_id, campaign_id, campaign_version, sku, quantity, state, currency, list_price, price,"
    " deposit, counts_for, deposit_id, deposit_due_at, balance_from_at, balance_until_at, ships_by_at, reserved_at,"
    " deposited_at, balance_asked_at, completed_at, ended_at, address_id, reason"
)

_decode_uses = msgspec.json.Decoder(tuple[CounterUse, ...]).decode


async def earlier(tx: Tx, buyer_id: UUID, key: str) -> tuple[UUID, bytes] | None:
    """Return the reservation that exists already under a buyer's key, and the hash of its command."""
    row = await (
        await tx.execute(
            "select reservation_id, request_hash from presale.reservation where buyer_id = %s and idempotency_key = %s",
            [buyer_id, key],
        )
    ).fetchone()
    return (row[0], row[1]) if row else None


async def insert(tx: Tx, made: Reservation, key: str, request_hash: bytes, uses: Sequence[CounterUse] = ()) -> None:
    """Insert a reservation with what it uses of counters, and its first transition.

    A constraint refuses a second one under the same key.
    """
    columns = msgspec.to_builtins(made, builtin_types=(UUID, datetime))
    await tx.execute(
        f"insert into presale.reservation ({_COLUMNS}, idempotency_key, request_hash, due_at, counters)"
        " values (%(reservation_id)s, %(buyer_id)s, %(campaign_id)s, %(campaign_version)s, %(sku)s, %(quantity)s,"
        " %(state)s, %(currency)s, %(list_price)s, %(price)s, %(deposit)s, %(counts_for)s, %(deposit_id)s,"
        " %(deposit_due_at)s, %(balance_from_at)s, %(balance_until_at)s, %(ships_by_at)s, %(reserved_at)s,"
        " %(deposited_at)s, %(balance_asked_at)s, %(completed_at)s, %(ended_at)s, %(address_id)s, %(reason)s,"
        " %(key)s, %(hash)s, %(deposit_due_at)s, %(counters)s::json)",
        {**columns, "key": key, "hash": request_hash, "counters": msgspec.json.encode(uses).decode()},
    )
    await _record(tx, [made.reservation_id], made.state, made.reserved_at, "", "")


async def move(
    tx: Tx,
    reservation_ids: Sequence[UUID],
    to: ReservationState,
    at: datetime,
    *,
    by: str = "",
    reason: str = "",
) -> None:
    """Set the state of these locked reservations with the moment that belongs to it, and record the transition."""
    await tx.execute(
        "update presale.reservation set state = %(to)s, reason = %(reason)s,"
        " deposited_at = case when %(to)s = 'deposited' then %(at)s else deposited_at end,"
        " completed_at = case when %(to)s = 'completed' then %(at)s else completed_at end,"
        " due_at = case when %(to)s = 'deposited' then balance_until_at else due_at end,"
        " ended_at = case when %(to)s in ('expired', 'cancelled', 'forfeited', 'compensated') then %(at)s end"
        " where reservation_id = any(%(ids)s)",
        {"to": to, "at": at, "reason": reason, "ids": list(reservation_ids)},
    )
    await _record(tx, reservation_ids, to, at, by, reason)


async def _record(
    tx: Tx, reservation_ids: Sequence[UUID], state: ReservationState, at: datetime, by: str, reason: str
) -> None:
    await tx.execute(
        "insert into presale.transition (reservation_id, state, at, by, reason)"
        " select id, %(state)s, %(at)s, %(by)s, %(reason)s from unnest(%(ids)b::uuid[]) as id",
        {"ids": list(reservation_ids), "state": state, "at": at, "by": by, "reason": reason},
    )


async def ask_balance(tx: Tx, reservation_id: UUID, address_id: UUID, at: datetime) -> None:
    """Note where the goods are to go, and since when the balance has a payment."""
    await tx.execute(
        "update presale.reservation set address_id = %s, balance_asked_at = coalesce(balance_asked_at, %s)"
        " where reservation_id = %s",
        [address_id, at, reservation_id],
    )


async def delay(tx: Tx, reservation_ids: Sequence[UUID], until: datetime) -> None:
    """Look at these again at `until`: a payment is still under way."""
    await tx.execute(
        "update presale.reservation set due_at = greatest(due_at, %s) where reservation_id = any(%s)",
        [until, list(reservation_ids)],
    )


async def find(tx: Tx, reservation_id: UUID) -> Reservation | None:
    """Return one reservation."""
    found = await _rows(tx, f"select {_COLUMNS} from presale.reservation where reservation_id = %s", [reservation_id])
    return found[0] if found else None


async def lock(tx: Tx, reservation_id: UUID) -> Reservation | None:
    """Lock one reservation and return it."""
    found = await _rows(
        tx, f"select {_COLUMNS} from presale.reservation where reservation_id = %s for update", [reservation_id]
    )
    return found[0] if found else None


async def lock_of_payments(tx: Tx, payment_ids: Iterable[UUID]) -> list[Reservation]:
    """Lock the reservations whose deposit or balance these payments are, in the order of their ids."""
    ids = list(payment_ids)
    return await _rows(
        tx,
        f"select {_COLUMNS} from presale.reservation where reservation_id = any(%s) or deposit_id = any(%s)"
        " order by reservation_id for update",
        [ids, ids],
    )


async def lock_due(tx: Tx, now: datetime, limit: int) -> list[Reservation]:
    """Lock reservations whose time to pay is over; those that another process works on are left to it."""
    return await _rows(
        tx,
        f"select {_COLUMNS} from presale.reservation where state in ('reserved', 'deposited') and due_at <= %s"
        " order by due_at, reservation_id limit %s for update skip locked",
        [now, limit],
    )


async def units_of(tx: Tx, campaign_id: str, sku: str, buyer_id: UUID, states: Sequence[ReservationState]) -> int:
    """Return how many units of a presale a buyer has in reservations in these states."""
    row = await (
        await tx.execute(
            "select coalesce(sum(quantity), 0)::bigint from presale.reservation"
            " where campaign_id = %s and sku = %s and buyer_id = %s and state = any(%s)",
            [campaign_id, sku, buyer_id, list(states)],
        )
    ).fetchone()
    return int(row[0]) if row else 0


async def counters_of(tx: Tx, reservation_ids: Sequence[UUID]) -> dict[UUID, tuple[CounterUse, ...]]:
    """Return what these reservations use of counters; those that use nothing are absent."""
    rows = await tx.execute(
        "select reservation_id, counters::text from presale.reservation"
        " where reservation_id = any(%s) and counters::text <> '[]'",
        [list(reservation_ids)],
    )
    return {row[0]: _decode_uses(row[1]) for row in await rows.fetchall()}


async def counters_used(tx: Tx, states: Sequence[ReservationState]) -> dict[str, int]:
    """Return how much of each counter the reservations in these states use together, by key."""
    rows = await tx.execute(
        "select its.key, sum(its.amount)::bigint from presale.reservation,"
        " json_to_recordset(counters) as its (key text, amount bigint)"
        " where state = any(%s) group by its.key",
        [list(states)],
    )
    return dict(await rows.fetchall())


async def of_buyer(tx: Tx, buyer_id: UUID, limit: int, offset: int) -> list[Reservation]:
    """Return a buyer's reservations, newest first."""
    return await _rows(
        tx,
        f"select {_COLUMNS} from presale.reservation where buyer_id = %s"
        " order by reservation_id desc limit %s offset %s",
        [buyer_id, limit, offset],
    )


async def page(tx: Tx, asked: ReservationFilter) -> ReservationPage:
    """Return one page of what a filter finds, with the sums of all."""
    where: LiteralString = (
        " where (%(state)s::text is null or state = %(state)s)"
        " and (%(text)s = '' or sku = %(text)s or reservation_id::text like %(text)s || '%%')"
    )
    values = {"state": asked.state, "text": asked.text, "limit": asked.limit, "offset": asked.offset}
    sums = await (
        await tx.execute(
            "select count(*), coalesce(sum(quantity), 0)::bigint, coalesce(sum(deposit * quantity)"
            f" filter (where deposited_at is not null), 0)::bigint from presale.reservation {where}",
            values,
        )
    ).fetchone()
    assert sums is not None, "an aggregate gives one row"
    rows = await _rows(
        tx,
        f"select {_COLUMNS} from presale.reservation {where} order by reservation_id desc"
        " limit %(limit)s offset %(offset)s",
        values,
    )
    return ReservationPage(rows=tuple(rows), count=sums[0], units=sums[1], deposits=sums[2])


async def transitions(tx: Tx, reservation_id: UUID) -> list[Transition]:
    """Return a reservation's steps, oldest first."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "select state, at, by, reason from presale.transition where reservation_id = %s order by number",
            [reservation_id],
        )
        return [msgspec.convert(row, Transition) for row in await cursor.fetchall()]


async def units_fingerprint(tx: Tx, states: Sequence[ReservationState]) -> Fingerprint:
    """Return the fingerprint of (reservation, SKU, quantity) over the reservations in these states."""
    return await _fingerprint(
        tx, "reservation_id::text || sku || quantity", "quantity", "state = any(%s)", [list(states)]
    )


async def deposits_fingerprint(tx: Tx, states: Sequence[ReservationState]) -> Fingerprint:
    """Return the fingerprint of (deposit's payment, amount) over the reservations in these states."""
    return await _fingerprint(
        tx, "deposit_id::text || deposit * quantity", "deposit * quantity", "state = any(%s)", [list(states)]
    )


async def balances_fingerprint(tx: Tx) -> Fingerprint:
    """Return the fingerprint of (reservation, balance) over all reservations that were completed."""
    balance: LiteralString = "(price - counts_for) * quantity"
    return await _fingerprint(tx, f"reservation_id::text || ({balance})", balance, "completed_at is not null", [])


async def _fingerprint(
    tx: Tx, mixed: LiteralString, total: LiteralString, where: LiteralString, values: Sequence[object]
) -> Fingerprint:
    row = await (
        await tx.execute(
            f"select count(*), coalesce(sum({total}), 0)::bigint,"
            f" coalesce(bit_xor(hashtextextended({mixed}, 0)), 0) from presale.reservation where {where}",
            values,
        )
    ).fetchone()
    assert row is not None, "an aggregate gives one row"
    return Fingerprint(*row)


async def waiting(tx: Tx) -> tuple[list[UUID], list[UUID]]:
    """Return the payments whose captures may be on their way: of deposits, and of balances."""
    rows = await tx.execute(
        "select state, deposit_id, reservation_id from presale.reservation where state in ('reserved', 'deposited')"
    )
    found = await rows.fetchall()
    return [row[1] for row in found if row[0] == "reserved"], [row[2] for row in found if row[0] == "deposited"]


async def overdue(tx: Tx, before: datetime) -> int:
    """Return how many reservations still wait for a payment although their time ended before `before`."""
    row = await (
        await tx.execute(
            "select count(*) from presale.reservation where state in ('reserved', 'deposited') and due_at < %s",
            [before],
        )
    ).fetchone()
    return int(row[0]) if row else 0


async def _rows(tx: Tx, statement: LiteralString, values: Any) -> list[Reservation]:
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, values)
        rows = await cursor.fetchall()
    return [Reservation(**{**row, "state": ReservationState(row["state"])}) for row in rows]
