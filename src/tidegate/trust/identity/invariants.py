"""Identity's invariants, held against the live database."""

from collections.abc import Callable
from datetime import datetime

from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.trust.identity import rules, staff_store, store

_PHONES_SAMPLED = 500


async def check(tx: Tx, now: datetime, phone_fits: Callable[[store.AccountRow], bool]) -> list[Check]:
    """Return what became of each invariant; sealed numbers are opened for the 500 newest accounts."""
    return [
        await _codes_open_one_session(tx),
        await _limits_hold(tx, now),
        await _phones_open(tx, phone_fits),
        await _records_only_grow(tx),
    ]


async def _codes_open_one_session(tx: Tx) -> Check:
    examined, misused = await store.codes_misused(tx)
    detail = f"{misused} codes opened two sessions, or were used late or too often" if misused else ""
    return Check(name="identity: a code opens one session", holds=not misused, examined=examined, detail=detail)


async def _limits_hold(tx: Tx, now: datetime) -> Check:
    examined, over = await store.accounts_over(
        tx, addresses_max=rules.ADDRESSES_MAX, sessions_max=rules.SESSIONS_MAX, now=now
    )
    detail = f"over the limit: {', '.join(map(str, over))}" if over else ""
    name = "identity: addresses and sessions within limits"
    return Check(name=name, holds=not over, examined=examined, detail=detail)


async def _phones_open(tx: Tx, phone_fits: Callable[[store.AccountRow], bool]) -> Check:
    rows = await store.newest_accounts(tx, _PHONES_SAMPLED)
    wrong = [str(row.account_id) for row in rows if not phone_fits(row)]
    detail = f"do not open to their index: {', '.join(wrong[:5])}" if wrong else ""
    return Check(name="identity: sealed phones open", holds=not wrong, examined=len(rows), detail=detail)


async def _records_only_grow(tx: Tx) -> Check:
    protected = await staff_store.records_protected(tx)
    detail = (
        "" if protected else "a trigger that protects the record of looks or of changes to segments is missing or off"
    )
    return Check(
        name="identity: the records of looks and of changes only grow", holds=protected, examined=2, detail=detail
    )
