"""Payment's SQL for the ledger, discrepancies, reconciliation reports, and the checks of its invariants."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.sale.payment.contracts import AccountBalance, DiscrepancyView, Purpose
from tidegate.sale.payment.reconciliation import Entry, Matches, Report, match
from tidegate.sale.payment.rules import Transfer
from tidegate.sale.stock.contracts import Fingerprint

_EXAMPLES = 5
_ENTRIES: LiteralString = (
    # A charge of another amount than was asked stands in two rows: what it pays for, and what goes back.
    "select case when kind in ('refund', 'compensation') then 'refund' else 'charge' end, reference::text,"
    " sum(amount)::bigint, currency, min(booked_at)"
)


async def balances(tx: Tx) -> list[AccountBalance]:
    """Return the sums of every account."""
    async with tx.cursor(row_factory=class_row(AccountBalance)) as cursor:
        await cursor.execute(
            "select account, currency, sum(debit)::bigint as debits, sum(credit)::bigint as credits from ("
            "  select debit_account as account, currency, amount as debit, 0 as credit from payment.transfer"
            "  union all"
            "  select credit_account, currency, 0, amount from payment.transfer"
            ") sides group by account, currency order by account, currency"
        )
        return await cursor.fetchall()


async def book(tx: Tx, transfers: Sequence[Transfer], now: datetime) -> None:
    """Book transfers that no channel's answer brought about. A key refuses one that is booked already."""
    await tx.execute(
        "insert into payment.transfer (kind, reference, debit_account, credit_account, amount, currency, booked_at)"
        " select kind, reference, debit_account, credit_account, amount, currency, %(now)s"
        " from json_to_recordset(%(transfers)s::json) as booked"
        " (kind text, reference uuid, debit_account text, credit_account text, amount bigint, currency text)",
        {"now": now, "transfers": msgspec.json.encode(transfers).decode()},
    )


async def ledger_entries(tx: Tx, channel: str, from_at: datetime, to_at: datetime) -> list[Entry]:
    """Return what our ledger says of a channel in a time range."""
    rows = await tx.execute(
        f"{_ENTRIES} from payment.transfer where booked_at >= %(from_at)s and booked_at < %(to_at)s"
        " and %(account)s in (debit_account, credit_account) group by 1, 2, 4",
        {"from_at": from_at, "to_at": to_at, "account": f"channel:{channel}"},
    )
    return [Entry(*row) for row in await rows.fetchall()]


async def entries_of(tx: Tx, references: Sequence[UUID]) -> list[Entry]:
    """Return our ledger's entries of these references, whenever they were booked."""
    rows = await tx.execute(
        f"{_ENTRIES} from payment.transfer where reference = any(%s) and kind not in ('applied', 'forfeit')"
        " group by 1, 2, 4",
        [list(references)],
    )
    return [Entry(*row) for row in await rows.fetchall()]


async def outstanding_references(tx: Tx, channel: str) -> frozenset[str]:
    """Return ids of attempts and refunds at a channel whose outcome is not known yet."""
    rows = await tx.execute(
        "select attempt_id::text from payment.attempt"
        " where channel = %(channel)s and state in ('started', 'pending', 'unknown')"
        " union all"
        " select r.refund_id::text from payment.refund r join payment.attempt a using (attempt_id)"
        " where a.channel = %(channel)s and r.state = 'requested'",
        {"channel": channel},
    )
    return frozenset(row[0] for row in await rows.fetchall())


async def both_books(tx: Tx, channel: str, theirs: Sequence[Entry], from_at: datetime, to_at: datetime) -> Matches:
    """Match a channel's statement with our ledger; their lines are looked for here whenever we booked them."""
    ours = await ledger_entries(tx, channel, from_at, to_at)
    known = {each.reference for each in ours}
    ours += await entries_of(tx, [UUID(each.reference) for each in theirs if each.reference not in known])
    outstanding = await outstanding_references(tx, channel)
    return match(ours, theirs, outstanding=outstanding, from_at=from_at, to_at=to_at)


async def insert_report(tx: Tx, report: Report) -> None:
    """Keep a report."""
    await tx.execute(
        "insert into payment.reconciliation (report_id, channel, from_at, to_at, made_at, clean, report)"
        " values (%s, %s, %s, %s, %s, %s, %s::jsonb)",
        [
            report.report_id,
            report.channel,
            report.from_at,
            report.to_at,
            report.made_at,
            report.clean,
            msgspec.json.encode(report).decode(),
        ],
    )


async def latest_reports(tx: Tx) -> list[Report]:
    """Return the latest report of each channel."""
    rows = await tx.execute(
        "select distinct on (channel) report::text from payment.reconciliation order by channel, made_at desc"
    )
    return [msgspec.json.decode(row[0], type=Report) for row in await rows.fetchall()]


async def outstanding_by_channel(tx: Tx) -> dict[str, tuple[int, datetime]]:
    """Return how many attempts are outstanding at each channel, and since when."""
    rows = await tx.execute(
        "select channel, count(*), min(started_at) from payment.attempt"
        " where state in ('started', 'pending', 'unknown') group by channel"
    )
    return {channel: (count, oldest_at) for channel, count, oldest_at in await rows.fetchall()}


async def attempts_between(tx: Tx, since_at: datetime, until_at: datetime) -> list[tuple[str, str, int]]:
    """Return channel, outcome and number of the attempts begun in a span."""
    rows = await tx.execute(
        "select channel, case when state in ('captured', 'surplus') then 'captured'"
        "  when state = 'refused' then 'declined'"
        "  when state in ('unreached', 'closed') then 'failed' else 'unknown' end as outcome, count(*)"
        " from payment.attempt where started_at >= %s and started_at < %s group by channel, outcome",
        [since_at, until_at],
    )
    return await rows.fetchall()


async def captured_fingerprint(tx: Tx, purpose: Purpose, leaving_out: Sequence[UUID]) -> Fingerprint:
    """Return the fingerprint of (order, amount) over all captured intents of a purpose, except some orders' ones."""
    rows = await tx.execute(
        "select count(*), coalesce(sum(amount), 0)::bigint,"
        " coalesce(bit_xor(hashtextextended(order_id::text || amount, 0)), 0)"
        " from payment.intent where state = 'captured' and purpose = %s and not order_id = any(%s)",
        [purpose, list(leaving_out)],
    )
    row = await rows.fetchone()
    assert row is not None, "an aggregate gives one row"
    return Fingerprint(*row)


async def settled_fingerprint(tx: Tx, *, forfeited: bool) -> Fingerprint:
    """Return the fingerprint of (deposit, amount) over all deposits that were forfeited, or applied."""
    rows = await tx.execute(
        "select count(*), coalesce(sum(amount), 0)::bigint,"
        " coalesce(bit_xor(hashtextextended(reference::text || amount, 0)), 0)"
        " from payment.transfer where kind = %s",
        ["forfeit" if forfeited else "applied"],
    )
    row = await rows.fetchone()
    assert row is not None, "an aggregate gives one row"
    return Fingerprint(*row)


async def asked_fingerprint(tx: Tx) -> Fingerprint:
    """Return the fingerprint of (refund, amount) over all refunds that orders asked for."""
    rows = await tx.execute(
        "select count(*), coalesce(sum(amount), 0)::bigint,"
        " coalesce(bit_xor(hashtextextended(refund_id::text || amount, 0)), 0)"
        " from payment.refund where cause = 'asked'"
    )
    row = await rows.fetchone()
    assert row is not None, "an aggregate gives one row"
    return Fingerprint(*row)


async def discrepancies_since(tx: Tx, since_at: datetime, limit: int) -> list[DiscrepancyView]:
    """Return the latest discrepancies."""
    async with tx.cursor(row_factory=class_row(DiscrepancyView)) as cursor:
        await cursor.execute(
            "select d.discrepancy_id, d.channel, d.kind, d.reference, d.detail, d.found_at, i.order_id"
            " from payment.discrepancy d"
            # A channel may name anything: only what reads like an id of ours is looked for.
            " left join payment.attempt a on a.attempt_id ="
            "  case when d.reference ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then d.reference::uuid end"
            " left join payment.intent i on i.intent_id = a.intent_id and i.purpose = 'order'"
            " where d.found_at >= %s order by d.found_at desc, d.discrepancy_id desc limit %s",
            [since_at, limit],
        )
        return await cursor.fetchall()


_CHECKS = {
    "payment: an intent's state agrees with its attempts": (
        "with counted as ("
        "  select i.intent_id, i.state, i.attempts, count(a.*) as attempts_made,"
        "   count(*) filter (where a.state in ('started', 'pending', 'unknown')) as outstanding,"
        "   count(*) filter (where a.state = 'captured') as captured"
        "  from payment.intent i left join payment.attempt a using (intent_id) group by i.intent_id"
        ")"
        " select intent_id::text, (captured <= 1 and outstanding <= 1 and attempts = attempts_made"
        "  and (state = 'captured') = (captured = 1)"
        "  and (state = 'captured' or (state = 'confirming') = (outstanding = 1)))"
        " from counted"
    ),
    "payment: money that arrived is in the ledger exactly once, and only that": (
        "select coalesce(a.attempt_id, t.reference)::text,"
        " (a.attempt_id is not null and t.reference is not null and coalesce(a.taken, a.amount) = t.amount"
        "  and t.currencies = array[a.currency] and t.debits = array['channel:' || a.channel]"
        "  and t.sold = case a.state when 'captured' then a.amount else 0 end)"
        " from (select * from payment.attempt where state in ('captured', 'surplus')) a"
        " full join (select reference, sum(amount) as amount, array_agg(distinct currency) as currencies,"
        "   array_agg(distinct debit_account) as debits,"
        "   coalesce(sum(amount) filter (where kind = 'capture'), 0) as sold"
        "  from payment.transfer where kind in ('capture', 'surplus') group by reference) t"
        "  on t.reference = a.attempt_id"
    ),
    "payment: confirmed refunds are in the ledger exactly once, and only those": (
        "select coalesce(r.refund_id, t.reference)::text,"
        " (r.refund_id is not null and t.reference is not null and r.amount = t.amount)"
        " from (select * from payment.refund where state = 'confirmed') r"
        " full join (select * from payment.transfer where kind in ('refund', 'compensation')) t"
        "  on t.reference = r.refund_id"
    ),
    "payment: no payment and no refund waits for a person": (
        "select a.attempt_id::text, not exists (select from payment.discrepancy d where d.channel = a.channel"
        "  and d.reference = a.attempt_id::text and d.kind in ('amount-differs', 'currency-differs'))"
        " from payment.attempt a where a.state in ('started', 'pending', 'unknown')"
        " union all select refund_id::text, state <> 'refused' from payment.refund"
    ),
    "payment: refunds stay within what was captured, and surplus money goes back whole": (
        "select a.attempt_id::text, (a.refund_reserved = coalesce(sum(r.amount) filter"
        "   (where r.cause <> 'compensation'), 0) and a.refund_reserved <= coalesce(a.taken, a.amount)"
        "  and coalesce(sum(r.amount) filter (where r.cause = 'compensation'), 0) <= a.amount"
        "  and coalesce(sum(r.amount) filter (where r.cause = 'surplus'), 0)"
        "   = coalesce(a.taken, a.amount) - case a.state when 'surplus' then 0 else a.amount end)"
        " from payment.attempt a left join payment.refund r using (attempt_id)"
        " where a.refund_reserved > 0 or a.state = 'surplus' or a.taken is not null or r.refund_id is not null"
        " group by a.attempt_id"
    ),
    "payment: a deposit is applied or forfeited once, and only one that was captured": (
        "select t.reference::text, (i.purpose = 'deposit' and i.state = 'captured' and i.amount = t.amount"
        "  and count(*) over (partition by t.reference) = 1)"
        " from payment.transfer t left join payment.intent i on i.intent_id = t.reference"
        " where t.kind in ('applied', 'forfeit')"
    ),
    "payment: what intents count as refunded is what was confirmed": (
        "select i.intent_id::text, i.refunded = coalesce(sum(r.amount) filter"
        "  (where r.state = 'confirmed' and r.cause in ('asked', 'deposit')), 0)"
        " from payment.intent i left join payment.attempt a using (intent_id)"
        " left join payment.refund r using (attempt_id)"
        " where i.refunded > 0 or r.refund_id is not null group by i.intent_id"
    ),
}


async def check(tx: Tx) -> list[Check]:
    """Hold each invariant against the database; a detail names the first rows that break it."""
    return [await _check_one(tx, name, rows) for name, rows in _CHECKS.items()]


async def _check_one(tx: Tx, name: str, rows: str) -> Check:
    found = await tx.execute(
        # Each text is one of the constants above.
        "select count(*), (array_agg(id) filter (where holds is not true))[1:%s] from (" + rows + ") each (id, holds)",
        [_EXAMPLES],
    )
    row = await found.fetchone()
    assert row is not None, "an aggregate gives one row"
    examined, broken = row
    return Check(name=name, holds=not broken, examined=examined, detail=", ".join(broken or ()))
