"""Payment's SQL for intents, attempts and refunds. Statements take arrays, because they run in batches."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import kwargs_row

from tidegate.base import columns
from tidegate.base.db import Tx
from tidegate.sale.payment.contracts import (
    AttemptState,
    IntentState,
    OpenIntent,
    Purpose,
    RefundCause,
    RefundState,
)
from tidegate.sale.payment.rules import (
    CHECK_SECONDS,
    REFUND_SECONDS,
    AttemptFacts,
    IntentFacts,
    Oddity,
    RefundFacts,
    Transfer,
)

_INTENT = "intent_id, order_id, buyer_id, amount, currency, state, attempts, refunded, expires_at, purpose"
_ATTEMPT = (
    "a.attempt_id, a.intent_id, a.number, a.channel, a.chosen, a.amount, a.currency, a.state, a.reason,"
    " a.refund_reserved, a.started_at, a.ended_at, a.taken"
)
_REFUND = "r.refund_id, r.attempt_id, r.amount, a.currency, r.cause, r.reason, r.state, r.requested_at, r.ended_at"


def _intent(**row: Any) -> IntentFacts:
    return IntentFacts(**{**row, "state": IntentState(row["state"]), "purpose": Purpose(row["purpose"])})


def _attempt(**row: Any) -> AttemptFacts:
    return AttemptFacts(**{**row, "state": AttemptState(row["state"])})


def _refund(**row: Any) -> RefundFacts:
    return RefundFacts(**{**row, "state": RefundState(row["state"]), "cause": RefundCause(row["cause"])})


async def insert_intents(tx: Tx, intents: Sequence[OpenIntent], now: datetime) -> None:
    """Record open intents."""
    await tx.execute(
        "insert into payment.intent"
        " (intent_id, order_id, buyer_id, amount, currency, expires_at, purpose, opened_at, changed_at)"
        " select intent_id, order_id, buyer_id, amount, currency, expires_at, purpose, %(now)s, %(now)s"
        " from unnest(%(ids)s, %(orders)s, %(buyers)s, %(amounts)s, %(currencies)s, %(expiries)s, %(purposes)s)"
        "  as opened (intent_id, order_id, buyer_id, amount, currency, expires_at, purpose)",
        {
            "ids": columns.uuids([each.intent_id for each in intents]),
            "orders": columns.uuids([each.order_id for each in intents]),
            "buyers": columns.uuids([each.buyer_id for each in intents]),
            "amounts": columns.bigints([each.amount for each in intents]),
            "currencies": columns.texts([each.currency for each in intents]),
            "expiries": columns.moments([each.expires_at for each in intents]),
            "purposes": columns.texts([each.purpose for each in intents]),
            "now": now,
        },
    )


async def close_open(tx: Tx, intent_ids: Sequence[UUID], now: datetime) -> list[tuple[UUID, UUID, bool]]:
    """Close open intents; return id, order and whether it was closed only now, of all that are closed."""
    rows = await tx.execute(
        "with locked as materialized ("
        "  select intent_id, order_id, state from payment.intent"
        "  where intent_id = any(%(ids)s) order by intent_id for update"
        "), changed as ("
        "  update payment.intent i set state = 'closed', changed_at = %(now)s"
        "  from locked l where i.intent_id = l.intent_id and l.state = 'open' returning i.intent_id"
        ")"
        " select l.intent_id, l.order_id, c.intent_id is not null"
        " from locked l left join changed c using (intent_id) where l.state = 'closed' or c.intent_id is not null",
        {"ids": list(intent_ids), "now": now},
    )
    return await rows.fetchall()


async def lock_intents(tx: Tx, intent_ids: Iterable[UUID], order_ids: Iterable[UUID] = ()) -> list[IntentFacts]:
    """Lock intents, named by their own or their order's id, in key order."""
    async with tx.cursor(row_factory=kwargs_row(_intent)) as cursor:
        await cursor.execute(
            f"select {_INTENT} from payment.intent"
            " where intent_id = any(%(intents)s) or order_id = any(%(orders)s) order by intent_id for update",
            {"intents": list(intent_ids), "orders": list(order_ids)},
        )
        return await cursor.fetchall()


async def insert_attempts(tx: Tx, attempts: Sequence[AttemptFacts], check_at: datetime, now: datetime) -> None:
    """Record attempts, and that their intents are confirming."""
    await tx.execute(
        "with begun as ("
        "  select * from unnest(%(attempt_ids)b::uuid[], %(intent_ids)b::uuid[], %(numbers)s::smallint[],"
        "    %(channels)b::text[], %(chosen)s::boolean[], %(amounts)b::bigint[], %(currencies)b::text[])"
        "  as t (attempt_id, intent_id, number, channel, chosen, amount, currency)"
        "), moved as ("
        "  update payment.intent i set state = 'confirming', attempts = b.number, changed_at = %(now)s"
        "  from begun b where i.intent_id = b.intent_id"
        ")"
        " insert into payment.attempt"
        " (attempt_id, intent_id, number, channel, chosen, amount, currency, check_at, started_at)"
        " select attempt_id, intent_id, number, channel, chosen, amount, currency, %(check_at)s, %(now)s from begun",
        {
            "attempt_ids": [each.attempt_id for each in attempts],
            "intent_ids": [each.intent_id for each in attempts],
            "numbers": [each.number for each in attempts],
            "channels": [each.channel for each in attempts],
            "chosen": [each.chosen for each in attempts],
            "amounts": [each.amount for each in attempts],
            "currencies": [each.currency for each in attempts],
            "check_at": check_at,
            "now": now,
        },
    )


async def lock_attempts(tx: Tx, attempt_ids: Iterable[UUID]) -> list[tuple[IntentFacts, AttemptFacts]]:
    """Lock attempts together with their intents, in the intents' key order."""
    rows = await tx.execute(
        f"select i.intent_id, i.order_id, i.buyer_id, i.amount, i.currency, i.state, i.attempts, i.refunded,"
        f" i.expires_at, i.purpose, {_ATTEMPT}"
        " from payment.attempt a join payment.intent i using (intent_id)"
        " where a.attempt_id = any(%s) order by i.intent_id, a.attempt_id for update of i, a",
        [list(attempt_ids)],
    )
    return [(_intent_of(row[:10]), _attempt_of(row[10:])) for row in await rows.fetchall()]


def _intent_of(row: tuple[Any, ...]) -> IntentFacts:
    return IntentFacts(*(*row[:5], IntentState(row[5]), *row[6:9], Purpose(row[9])))


def _attempt_of(row: tuple[Any, ...]) -> AttemptFacts:
    return AttemptFacts(*(*row[:7], AttemptState(row[7]), *row[8:]))


async def write_outcomes(
    tx: Tx,
    intents: Sequence[IntentFacts],
    attempts: Sequence[tuple[AttemptFacts, str]],
    transfers: Sequence[Transfer],
    *,
    check_at: datetime,
    now: datetime,
) -> None:
    """Write new states of attempts (with the channel's reference) and of intents, and book the money, at once."""
    await tx.execute(
        "with told as ("
        "  select * from unnest(%(attempt_ids)b::uuid[], %(states)b::text[], %(reasons)b::text[],"
        "    %(references)b::text[], %(ended_ats)b::timestamptz[])"
        "  as t (attempt_id, state, reason, reference, ended_at)"
        "), attempts as ("
        "  update payment.attempt a set state = t.state, reason = t.reason, ended_at = t.ended_at,"
        "    channel_reference = coalesce(nullif(t.reference, ''), a.channel_reference),"
        "    check_at = case when t.ended_at is null then least(a.check_at, %(check_at)s) else a.check_at end"
        "  from told t where a.attempt_id = t.attempt_id"
        "), intents as ("
        "  update payment.intent i set state = t.state, changed_at = %(now)s"
        "  from unnest(%(intent_ids)b::uuid[], %(intent_states)b::text[]) as t (intent_id, state)"
        "  where i.intent_id = t.intent_id"
        ")"
        " insert into payment.transfer (kind, reference, debit_account, credit_account, amount, currency, booked_at)"
        " select *, %(now)s from unnest(%(kinds)b::text[], %(booked)b::uuid[], %(debits)b::text[],"
        " %(credits)b::text[], %(amounts)b::bigint[], %(currencies)b::text[])",
        {
            "attempt_ids": [each.attempt_id for each, _ in attempts],
            "states": [each.state for each, _ in attempts],
            "reasons": [each.reason for each, _ in attempts],
            "references": [reference for _, reference in attempts],
            "ended_ats": [each.ended_at for each, _ in attempts],
            "intent_ids": [each.intent_id for each in intents],
            "intent_states": [each.state for each in intents],
            "check_at": check_at,
            "now": now,
            **_columns(transfers),
        },
    )


def _columns(transfers: Sequence[Transfer]) -> dict[str, list[Any]]:
    return {
        "kinds": [each.kind for each in transfers],
        "booked": [each.reference for each in transfers],
        "debits": [each.debit_account for each in transfers],
        "credits": [each.credit_account for each in transfers],
        "amounts": [each.amount for each in transfers],
        "currencies": [each.currency for each in transfers],
    }


async def claim_attempts(tx: Tx, now: datetime, attempts_max: int) -> list[AttemptFacts]:
    """Take attempts that are due to be asked about, and put their next turn off; others skip what is taken."""
    async with tx.cursor(row_factory=kwargs_row(_attempt)) as cursor:
        await cursor.execute(
            "with due as ("
            "  select attempt_id from payment.attempt"
            "  where check_at <= %(now)s and state in ('started', 'pending', 'unknown')"
            "  order by check_at limit %(attempts_max)s for update skip locked"
            ")"
            " update payment.attempt a set checks = least(a.checks + 1, 30000),"
            "  check_at = %(now)s + make_interval(secs => (%(pauses)s::float8[])[least(a.checks + 2, %(pauses_max)s)])"
            f" from due where a.attempt_id = due.attempt_id returning {_ATTEMPT}",
            {"now": now, "attempts_max": attempts_max, "pauses": list(CHECK_SECONDS), "pauses_max": len(CHECK_SECONDS)},
        )
        return await cursor.fetchall()


async def reserve_refunds(tx: Tx, refunds: Sequence[tuple[UUID, UUID, int, RefundCause, str]], now: datetime) -> None:
    """Record refunds (id, attempt, amount, cause, reason) and reserve their amounts on the attempts."""
    await tx.execute(
        "with asked as ("
        "  select * from unnest(%(refund_ids)b::uuid[], %(attempt_ids)b::uuid[], %(amounts)b::bigint[],"
        "    %(causes)b::text[], %(reasons)b::text[]) as t (refund_id, attempt_id, amount, cause, reason)"
        "), reserved as ("
        "  update payment.attempt a set refund_reserved = a.refund_reserved + s.amount"
        "  from (select attempt_id, sum(amount) as amount from asked where cause <> 'compensation' group by 1) s"
        "  where a.attempt_id = s.attempt_id"
        ")"
        " insert into payment.refund (refund_id, attempt_id, amount, cause, reason, try_at, requested_at)"
        " select refund_id, attempt_id, amount, cause, reason, %(now)s, %(now)s from asked",
        {
            "refund_ids": [each[0] for each in refunds],
            "attempt_ids": [each[1] for each in refunds],
            "amounts": [each[2] for each in refunds],
            "causes": [each[3] for each in refunds],
            "reasons": [each[4] for each in refunds],
            "now": now,
        },
    )


async def claim_refunds(tx: Tx, now: datetime, refunds_max: int) -> list[tuple[RefundFacts, str]]:
    """Take refunds that are due to be sent, with their channel, and put their next turn off."""
    rows = await tx.execute(
        "with due as ("
        "  select refund_id from payment.refund where state = 'requested' and try_at <= %(now)s"
        "  order by try_at limit %(refunds_max)s for update skip locked"
        "), taken as ("
        "  update payment.refund r set tries = least(r.tries + 1, 30000),"
        "   try_at = %(now)s + make_interval(secs => (%(pauses)s::float8[])[least(r.tries + 1, %(pauses_max)s)])"
        "  from due where r.refund_id = due.refund_id returning r.*"
        ")"
        f" select {_REFUND}, a.channel from taken r join payment.attempt a using (attempt_id)",
        {"now": now, "refunds_max": refunds_max, "pauses": list(REFUND_SECONDS), "pauses_max": len(REFUND_SECONDS)},
    )
    return [(_refund_of(row[:9]), row[9]) for row in await rows.fetchall()]


async def send_again(tx: Tx, refund_id: UUID, answer: str, now: datetime) -> bool:
    """Let a refused refund be sent again; return whether there was one."""
    done = await tx.execute(
        "update payment.refund set state = 'requested', ended_at = null, tries = 0, try_at = %s, answer = %s"
        " where refund_id = %s and state = 'refused'",
        [now, answer, refund_id],
    )
    return done.rowcount == 1


def _refund_of(row: tuple[Any, ...]) -> RefundFacts:
    return RefundFacts(*(*row[:4], RefundCause(row[4]), row[5], RefundState(row[6]), *row[7:]))


async def lock_refunds(tx: Tx, refund_ids: Iterable[UUID]) -> list[tuple[IntentFacts, AttemptFacts, RefundFacts]]:
    """Lock refunds together with their intents, in the intents' key order."""
    rows = await tx.execute(
        f"select i.intent_id, i.order_id, i.buyer_id, i.amount, i.currency, i.state, i.attempts, i.refunded,"
        f" i.expires_at, i.purpose, {_ATTEMPT}, {_REFUND}"
        " from payment.refund r join payment.attempt a using (attempt_id) join payment.intent i using (intent_id)"
        " where r.refund_id = any(%s) order by i.intent_id, r.refund_id for update of i, r",
        [list(refund_ids)],
    )
    return [(_intent_of(row[:10]), _attempt_of(row[10:23]), _refund_of(row[23:])) for row in await rows.fetchall()]


async def write_refunds(
    tx: Tx,
    refunds: Sequence[tuple[RefundFacts, str]],
    refunded: Sequence[tuple[UUID, int]],
    transfers: Sequence[Transfer],
    now: datetime,
) -> None:
    """Write new states of refunds (with the channel's answer), add to intents' refunded sums, and book, at once."""
    await tx.execute(
        "with refunds as ("
        "  update payment.refund r set state = t.state, answer = t.answer, ended_at = t.ended_at"
        "  from unnest(%(refund_ids)b::uuid[], %(states)b::text[], %(answers)b::text[], %(ended_ats)b::timestamptz[])"
        "  as t (refund_id, state, answer, ended_at) where r.refund_id = t.refund_id"
        "), intents as ("
        "  update payment.intent i set refunded = i.refunded + t.amount, changed_at = %(now)s"
        "  from (select intent_id, sum(amount) as amount from unnest(%(intent_ids)b::uuid[], %(given)b::bigint[])"
        "   as g (intent_id, amount) group by intent_id) t where i.intent_id = t.intent_id"
        ")"
        " insert into payment.transfer (kind, reference, debit_account, credit_account, amount, currency, booked_at)"
        " select *, %(now)s from unnest(%(kinds)b::text[], %(booked)b::uuid[], %(debits)b::text[],"
        " %(credits)b::text[], %(amounts)b::bigint[], %(currencies)b::text[])",
        {
            "refund_ids": [each.refund_id for each, _ in refunds],
            "states": [each.state for each, _ in refunds],
            "answers": [answer for _, answer in refunds],
            "ended_ats": [each.ended_at for each, _ in refunds],
            "intent_ids": [intent_id for intent_id, _ in refunded],
            "given": [amount for _, amount in refunded],
            "now": now,
            **_columns(transfers),
        },
    )


async def insert_discrepancies(tx: Tx, found: Sequence[tuple[UUID, str, Oddity, str, str]], now: datetime) -> None:
    """Record discrepancies (id, channel, kind, reference, detail); what was recorded before stays as it is."""
    await tx.execute(
        "insert into payment.discrepancy (discrepancy_id, channel, kind, reference, detail, found_at)"
        " select discrepancy_id, channel, kind, reference, detail, %(now)s"
        " from unnest(%(ids)b::uuid[], %(channels)b::text[], %(kinds)b::text[], %(references)b::text[],"
        " %(details)b::text[]) as t (discrepancy_id, channel, kind, reference, detail) on conflict do nothing",
        {
            "now": now,
            "ids": [each[0] for each in found],
            "channels": [each[1] for each in found],
            "kinds": [each[2] for each in found],
            "references": [each[3] for each in found],
            "details": [each[4] for each in found],
        },
    )


async def find_intent(tx: Tx, order_id: UUID) -> IntentFacts | None:
    """Return the intent of an order."""
    async with tx.cursor(row_factory=kwargs_row(_intent)) as cursor:
        await cursor.execute(
            f"select {_INTENT} from payment.intent where order_id = %s",
            [order_id],
        )
        return await cursor.fetchone()


async def find_attempts(tx: Tx, intent_id: UUID) -> list[AttemptFacts]:
    """Return the attempts of an intent in their order."""
    async with tx.cursor(row_factory=kwargs_row(_attempt)) as cursor:
        await cursor.execute(
            f"select {_ATTEMPT} from payment.attempt a where intent_id = %s order by number",
            [intent_id],
        )
        return await cursor.fetchall()


async def find_refunds(tx: Tx, intent_id: UUID) -> list[RefundFacts]:
    """Return the refunds of an intent in their order."""
    async with tx.cursor(row_factory=kwargs_row(_refund)) as cursor:
        await cursor.execute(
            f"select {_REFUND} from payment.refund r join payment.attempt a using (attempt_id)"
            " where a.intent_id = %s order by r.refund_id",
            [intent_id],
        )
        return await cursor.fetchall()


async def settled_already(tx: Tx, attempt_ids: Sequence[UUID]) -> dict[UUID, tuple[str, int, str]]:
    """Return channel, amount and currency of those attempts whose money is booked already; takes no lock."""
    rows = await tx.execute(
        "select attempt_id, channel, coalesce(taken, amount), currency from payment.attempt"
        " where attempt_id = any(%s) and state in ('captured', 'surplus')",
        [list(attempt_ids)],
    )
    return {attempt_id: (channel, amount, currency) for attempt_id, channel, amount, currency in await rows.fetchall()}
