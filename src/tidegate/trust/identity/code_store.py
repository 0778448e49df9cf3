"""All SQL of sign-in codes, as thin functions. Locks are taken in one order: phone, network address."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.trust.identity.rules import CodeHistory

# Classes of advisory locks; "tg" and a number keep them apart from other modules' locks.
_PHONE_LOCK = 0x7467_0001
_CLIENT_LOCK = 0x7467_0002


class CodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded code; its six digits are known only as a keyed digest."""

    code_id: UUID
    code_hash: bytes
    tries: int
    expires_at: datetime
    used_at: datetime | None


async def lock_code_limits(tx: Tx, phone_index: bytes, client_index: bytes) -> None:
    """Let one request after the other count the codes of a phone and of a network address."""
    # Two statements, so that the phone is always locked before the network address.
    for lock_class, index in ((_PHONE_LOCK, phone_index), (_CLIENT_LOCK, client_index)):
        key = int.from_bytes(index[:4], "big", signed=True)
        await tx.execute("select pg_advisory_xact_lock(%s, %s)", [lock_class, key])


async def code_history(tx: Tx, phone_index: bytes, client_index: bytes, now: datetime) -> CodeHistory:
    """Return how many codes were asked for lately; one that was not delivered does not make the phone wait."""
    async with tx.cursor(row_factory=class_row(CodeHistory)) as cursor:
        await cursor.execute(
            """
            select
                (select max(requested_at) from identity.code
                  where phone_index = %(phone)s and delivery <> 'failed') as phone_last_at,
                (select count(*) from identity.code
                  where phone_index = %(phone)s and requested_at > %(hour_ago)s) as phone_hour,
                (select count(*) from identity.code
                  where phone_index = %(phone)s and requested_at > %(day_ago)s) as phone_day,
                (select count(*) from identity.code
                  where client_index = %(client)s and requested_at > %(hour_ago)s) as address_hour
            """,
            {
                "phone": phone_index,
                "client": client_index,
                "hour_ago": now - timedelta(hours=1),
                "day_ago": now - timedelta(days=1),
            },
        )
        row = await cursor.fetchone()
    assert row is not None
    return row


async def insert_code(
    tx: Tx,
    *,
    code_id: UUID,
    phone_index: bytes,
    client_index: bytes,
    code_hash: bytes,
    requested_at: datetime,
    expires_at: datetime,
) -> None:
    """Record a code before it is sent."""
    await tx.execute(
        """
        insert into identity.code (code_id, phone_index, client_index, code_hash, requested_at, expires_at)
        values (%s, %s, %s, %s, %s, %s)
        """,
        [code_id, phone_index, client_index, code_hash, requested_at, expires_at],
    )


async def set_delivery(tx: Tx, code_id: UUID, *, sent: bool) -> None:
    """Record what the SMS gateway answered."""
    await tx.execute(
        "update identity.code set delivery = %s where code_id = %s", ["sent" if sent else "failed", code_id]
    )


async def newest_code_locked(tx: Tx, phone_index: bytes) -> CodeRow | None:
    """Return the newest code of a phone and lock it: of two sign-ins with one code, the second sees it used."""
    async with tx.cursor(row_factory=class_row(CodeRow)) as cursor:
        await cursor.execute(
            """
            select code_id, code_hash, tries, expires_at, used_at
              from identity.code
             where phone_index = %s
             order by requested_at desc, code_id desc
             limit 1
               for update
            """,
            [phone_index],
        )
        return await cursor.fetchone()


async def count_try(tx: Tx, code_id: UUID) -> None:
    """Count one wrong try with a code."""
    await tx.execute("update identity.code set tries = tries + 1 where code_id = %s", [code_id])


async def use_code(tx: Tx, code_id: UUID, now: datetime) -> None:
    """Mark a code as used."""
    await tx.execute("update identity.code set used_at = %s where code_id = %s", [now, code_id])
