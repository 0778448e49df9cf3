"""The SQL of coupons that shoppers and orders cause: claims, and the moves of codes. What staff read is `store_staff`.

A move is one statement: it picks the codes and locks them in their order, locks the totals of their templates in their
order, and then changes state, totals and story together. Claims are decided under the locks of the accounts' claims and
then of the template's totals; `MAKE_CLAIMS` guards both again, for rows that were not there to be locked.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import msgspec
from psycopg.rows import dict_row

from tidegate.base.db import Tx
from tidegate.offer.coupons.contracts import CouponState, Kept, Locked, Why

_LOCKED: LiteralString = "code, campaign_id, template, state, account_id, expires_at, order_id"
_KEPT: LiteralString = "code, campaign_id, template, state, claimed_at, expires_at, order_id"

MAKE_CLAIMS: LiteralString = """
    with new as (
        select * from unnest(%(codes)s::text[], %(accounts)s::uuid[]) as new (code, account_id)
    ),
    counted as (
        insert into coupons.claims as held (campaign_id, template, account_id, claimed)
        select %(campaign)s, %(template)s, account_id, count(*) from new group by account_id order by account_id
        on conflict (campaign_id, template, account_id) do update set claimed = held.claimed + excluded.claimed
        where held.claimed + excluded.claimed <= %(per_account)s or %(per_account)s = 0
        returning claimed
    ),
    made as (
        insert into coupons.template as total (campaign_id, template, planned, made, claimed, unused)
        select %(campaign)s, %(template)s, %(planned)s, count(*), count(*), count(*) from new
        on conflict (campaign_id, template) do update
        set planned = excluded.planned, made = total.made + excluded.made,
            claimed = total.claimed + excluded.claimed, unused = total.unused + excluded.unused
        where total.made + excluded.made <= excluded.planned
        returning made
    ),
    written as (
        insert into coupons.coupon (code, campaign_id, template, state, account_id, made_at, claimed_at, expires_at)
        select code, %(campaign)s, %(template)s, 'unused', account_id, %(now)s, %(now)s, %(expires_at)s from new
    )
    select (select count(*) from counted), (select count(*) from made)
"""

COUNT_CLAIM: LiteralString = """
    insert into coupons.claims as held (campaign_id, template, account_id, claimed)
    values (%(campaign)s, %(template)s, %(account)s, 1)
    on conflict (campaign_id, template, account_id) do update set claimed = held.claimed + 1
    where held.claimed < %(per_account)s or %(per_account)s = 0
"""

_BY_CODES: LiteralString = """
    with picked as materialized (
        select coupon.code, campaign_id, template, state, wanted.order_id
        from coupons.coupon
        join unnest(%(codes)b::text[], %(orders)b::uuid[]) as wanted (code, order_id) using (code)
        where state = any(%(sources)s)
        order by coupon.code
        for update of coupon
    ),
"""
_BY_ORDERS: LiteralString = """
    with picked as materialized (
        select code, campaign_id, template, state, order_id
        from coupons.coupon
        where order_id = any(%(orders)s::uuid[]) and state = any(%(sources)s)
        order by code
        for update
    ),
"""
_DUE: LiteralString = """
    with picked as materialized (
        select code, campaign_id, template, state, order_id
        from (
            select * from coupons.coupon
            where state in ('unclaimed', 'unused', 'returned') and expires_at <= %(now)s
            order by expires_at limit %(limit)s
            for update skip locked
        ) due
    ),
"""
_MOVED: LiteralString = """
    sums as materialized (
        select campaign_id, template, count(*) as moved,
               count(*) filter (where state = 'unclaimed') as unclaimed,
               count(*) filter (where state = 'unused') as unused,
               count(*) filter (where state = 'frozen') as frozen,
               count(*) filter (where state = 'used') as used,
               count(*) filter (where state = 'returned') as returned
        from picked
        group by campaign_id, template
    ),
    held as materialized (
        select total.campaign_id, total.template, sums.moved,
               sums.unclaimed, sums.unused, sums.frozen, sums.used, sums.returned
        from coupons.template total
        join sums using (campaign_id, template)
        order by total.campaign_id, total.template
        for update of total
    ),
    counted as (
        update coupons.template total set
            claimed = total.claimed + case when %(to)s::text = 'unused' then held.moved else 0 end,
            unclaimed = total.unclaimed - held.unclaimed,
            unused = total.unused - held.unused + case when %(to)s::text = 'unused' then held.moved else 0 end,
            frozen = total.frozen - held.frozen + case when %(to)s::text = 'frozen' then held.moved else 0 end,
            used = total.used - held.used + case when %(to)s::text = 'used' then held.moved else 0 end,
            returned = total.returned - held.returned + case when %(to)s::text = 'returned' then held.moved else 0 end,
            expired = total.expired + case when %(to)s::text = 'expired' then held.moved else 0 end,
            revoked = total.revoked + case when %(to)s::text = 'revoked' then held.moved else 0 end
        from held
        where total.campaign_id = held.campaign_id and total.template = held.template
    ),
    moved as (
        update coupons.coupon set
            state = %(to)s::text,
            order_id = case when %(to)s::text in ('frozen', 'used') then picked.order_id end,
            account_id = coalesce(coupon.account_id, %(account)s::uuid),
            claimed_at = case when %(account)s::uuid is null then coupon.claimed_at else %(now)s end,
            expires_at = coalesce(%(expires_at)s::timestamptz, coupon.expires_at)
        from picked
        where coupon.code = picked.code
        returning coupon.code
    )
    insert into coupons.move (code, moved_at, from_state, to_state, why, by, note, order_id)
    select picked.code, %(now)s, picked.state, %(to)s::text, %(why)s::text, %(by)s, %(note)s, picked.order_id
    from picked
    join moved using (code)
    order by picked.code
    returning code
"""


class Moving(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of move: from which states, to which, when and why. A claim also says whose the code is from now on."""

    sources: Sequence[CouponState]
    to: CouponState
    now: datetime
    why: Why
    by: str = ""
    note: str = ""
    account_id: UUID | None = None
    expires_at: datetime | None = None

    def values(self) -> dict[str, object]:
        """Return the values that every moving statement names."""
        return {
            "sources": [str(state) for state in self.sources],
            "to": str(self.to),
            "now": self.now,
            "why": str(self.why),
            "by": self.by,
            "note": self.note,
            "account": self.account_id,
            "expires_at": self.expires_at,
        }


class ClaimPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What claims by button make: of which coupon, within which limits, until when."""

    campaign_id: str
    template: str
    per_account: int
    planned: int
    now: datetime
    expires_at: datetime


class NewCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code for an account."""

    code: str
    account_id: UUID


async def lock_claims(tx: Tx, campaign_id: str, template: str, account_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Lock how many of a coupon these accounts have claimed, in their order; one that never claimed is missing."""
    rows = await tx.execute(
        "select account_id, claimed from coupons.claims where campaign_id = %s and template = %s"
        " and account_id = any(%s) order by account_id for update",
        [campaign_id, template, list(account_ids)],
    )
    return dict(await rows.fetchall())


async def lock_made(tx: Tx, campaign_id: str, template: str) -> int:
    """Lock a coupon's totals and return how many were made; 0 of one that nobody has claimed yet."""
    rows = await tx.execute(
        "select made from coupons.template where campaign_id = %s and template = %s for update", [campaign_id, template]
    )
    row = await rows.fetchone()
    return int(row[0]) if row else 0


async def make_claims(tx: Tx, plan: ClaimPlan, new: Sequence[NewCode]) -> bool:
    """Make codes for accounts; whether all of them were within the accounts' limits and the plan.

    Where they were not, the caller rolls back: a part was counted.
    """
    rows = await tx.execute(
        MAKE_CLAIMS,
        {
            "campaign": plan.campaign_id,
            "template": plan.template,
            "per_account": plan.per_account,
            "planned": plan.planned,
            "codes": [each.code for each in new],
            "accounts": [each.account_id for each in new],
            "now": plan.now,
            "expires_at": plan.expires_at,
        },
    )
    row = await rows.fetchone()
    assert row is not None
    return (row[0], row[1]) == (len({each.account_id for each in new}), 1)


async def count_claim(tx: Tx, campaign_id: str, template: str, account_id: UUID, per_account: int) -> bool:
    """Count a claim of an account, guarded by its cap; whether it is within."""
    counted = await tx.execute(
        COUNT_CLAIM,
        {"campaign": campaign_id, "template": template, "account": account_id, "per_account": per_account},
    )
    return counted.rowcount > 0


async def lock(tx: Tx, codes: Sequence[str]) -> dict[str, Locked]:
    """Lock these codes in their order, then the totals of their templates; the codes as they stand."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"select {_LOCKED} from coupons.coupon where code = any(%s) order by code for update", [sorted(codes)]
        )
        found = [msgspec.convert(row, Locked) for row in await cursor.fetchall()]
    if found:
        await tx.execute(
            "select from coupons.template total join (select distinct * from unnest(%s::text[], %s::text[])"
            " as wanted (campaign_id, template)) wanted using (campaign_id, template)"
            " order by total.campaign_id, total.template for update of total",
            [[each.campaign_id for each in found], [each.template for each in found]],
        )
    return {each.code: each for each in found}


async def move_codes(tx: Tx, codes: Sequence[tuple[str, UUID | None]], moving: Moving) -> None:
    """Move these codes, each with the order it is for; nothing is read back, for the hot lane waits for no answer."""
    names, orders = [code for code, _ in codes], [order_id for _, order_id in codes]
    await tx.execute(_BY_CODES + _MOVED, moving.values() | {"codes": names, "orders": orders})


async def move_of_orders(tx: Tx, order_ids: Sequence[UUID], moving: Moving) -> list[str]:
    """Move the codes that these orders have; the codes that moved."""
    rows = await tx.execute(_BY_ORDERS + _MOVED, moving.values() | {"orders": list(order_ids)})
    return [code for (code,) in await rows.fetchall()]


async def move_due(tx: Tx, limit: int, moving: Moving) -> int:
    """Move codes whose time is over, oldest first; how many. Those that another transaction has are left to it."""
    rows = await tx.execute(_DUE + _MOVED, moving.values() | {"limit": limit})
    return len(await rows.fetchall())


async def kept_by(tx: Tx, account_id: UUID, limit: int) -> list[Kept]:
    """Return an account's coupons, those claimed last first."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"select {_KEPT} from coupons.coupon where account_id = %s order by claimed_at desc, code limit %s",
            [account_id, limit],
        )
        return [msgspec.convert(row, Kept) for row in await cursor.fetchall()]


async def kept(tx: Tx, code: str) -> Kept:
    """Return a claimed coupon that is known to exist."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"select {_KEPT} from coupons.coupon where code = %s", [code])
        row = await cursor.fetchone()
    return msgspec.convert(row, Kept)


async def claimed_by(tx: Tx, campaign_id: str, account_id: UUID) -> dict[str, int]:
    """Return how many of each template of a campaign an account has claimed."""
    rows = await tx.execute(
        "select template, claimed from coupons.claims where campaign_id = %s and account_id = %s"
        " and template = any(select template from coupons.template where campaign_id = %s)",
        [campaign_id, account_id, campaign_id],
    )
    return dict(await rows.fetchall())


async def made_of(tx: Tx, campaign_id: str) -> dict[str, int]:
    """Return how many codes of each template of a campaign have been made, for those of which any was."""
    rows = await tx.execute("select template, made from coupons.template where campaign_id = %s", [campaign_id])
    return dict(await rows.fetchall())
