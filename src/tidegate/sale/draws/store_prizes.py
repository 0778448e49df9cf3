"""The SQL of prizes: who won what, what became of it, and the acts by which it did. Acts are only ever added."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import msgspec
from psycopg.rows import dict_row

from tidegate.base.db import Tx
from tidegate.offer.campaign.contracts import Draw
from tidegate.sale.draws.contracts import Award, AwardState, PrizeAct

_AWARDS: LiteralString = """
    select draw.draw_id, draw.campaign_id, draw.terms, draw.drawn_at, winner.prize, winner.serial, entry.order_id,
           winner.account_id, claim.acted_at as claimed_at, claim.address_id, ending.act as ended,
           ending.acted_at as ended_at, coalesce(ending.by, '') as by, coalesce(ending.note, '') as note
    from draws.winner winner
    join draws.draw draw using (draw_id)
    join draws.entry entry using (draw_id, serial)
    left join draws.prize_act claim
        on claim.draw_id = winner.draw_id and claim.serial = winner.serial and claim.act = 'claimed'
    left join draws.prize_act ending
        on ending.draw_id = winner.draw_id and ending.serial = winner.serial and ending.act <> 'claimed'
"""

# What a prize's state is made of; `Award.state` says the same of one prize.
_STATE: LiteralString = """
    case when ending.act is not null then ending.act
         when claim.act is null
              and (coalesce((draw.terms ->> 'claim_days')::integer, 0) > 0
                   or coalesce((draw.terms -> 'prizes' -> winner.prize ->> 'sent')::boolean, false)) then 'unclaimed'
         else 'due' end
"""

_TALLIES: LiteralString = (
    "select draw.draw_id, draw.campaign_id, draw.terms, draw.drawn_at, state, count(*) as prizes from draws.draw draw"
    " join draws.winner winner using (draw_id)"
    " left join draws.prize_act claim"
    " on claim.draw_id = winner.draw_id and claim.serial = winner.serial and claim.act = 'claimed'"
    " left join draws.prize_act ending"
    " on ending.draw_id = winner.draw_id and ending.serial = winner.serial and ending.act <> 'claimed'"
    f" cross join lateral (select {_STATE} as state) stands"
    " group by draw.draw_id, state order by draw.drawn_at desc, draw.draw_id"
)

UNLAWFUL: LiteralString = """
    select count(*), coalesce(array_agg(draw.campaign_id || '/' || draw.name || ' ' || serial) filter (where
        act = 'claimed' and acted_at >= stated.until
        or act = 'forfeited' and (stated.until is null or acted_at < stated.until or exists (
            select from draws.prize_act claim
            where claim.draw_id = prize_act.draw_id and claim.serial = prize_act.serial and claim.act = 'claimed'))
    ), '{}')
    from draws.prize_act
    join draws.draw using (draw_id)
    cross join lateral (
        select draw.drawn_at + make_interval(days => nullif((draw.terms ->> 'claim_days')::integer, 0)) as until
    ) stated
"""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many prizes of a draw are in one state."""

    draw_id: UUID
    campaign_id: str
    terms: Draw
    drawn_at: datetime
    state: AwardState
    prizes: int


async def lock_won(tx: Tx, draw_id: UUID, account_id: UUID) -> Award | None:
    """Lock the prize that an account won in a draw, and return it; an account wins one at most."""
    await tx.execute(
        "select from draws.winner where draw_id = %s and account_id = %s for update", [draw_id, account_id]
    )
    return _only(
        await _awards(tx, f"{_AWARDS} where winner.draw_id = %s and winner.account_id = %s", [draw_id, account_id])
    )


async def lock_award(tx: Tx, draw_id: UUID, serial: int) -> Award | None:
    """Lock one prize by its winner's serial, and return it."""
    await tx.execute("select from draws.winner where draw_id = %s and serial = %s for update", [draw_id, serial])
    return _only(await _awards(tx, f"{_AWARDS} where winner.draw_id = %s and winner.serial = %s", [draw_id, serial]))


async def award(tx: Tx, draw_id: UUID, account_id: UUID) -> Award | None:
    """Return the prize that an account won in a draw."""
    return _only(
        await _awards(tx, f"{_AWARDS} where winner.draw_id = %s and winner.account_id = %s", [draw_id, account_id])
    )


async def awards_of(tx: Tx, account_id: UUID, limit: int) -> list[Award]:
    """Return the prizes that an account won, those drawn last first."""
    return await _awards(
        tx,
        f"{_AWARDS} where winner.account_id = %s order by draw.drawn_at desc, draw.draw_id limit %s",
        [account_id, limit],
    )


async def awards(tx: Tx, draw_id: UUID, state: AwardState | None, limit: int, offset: int) -> list[Award]:
    """Return a draw's prizes, all or those in one state, the best first."""
    return await _awards(
        tx,
        f"{_AWARDS} where winner.draw_id = %(draw)s and (%(state)s::text is null or {_STATE} = %(state)s)"
        " order by winner.prize, winner.serial limit %(limit)s offset %(offset)s",
        {"draw": draw_id, "state": str(state) if state else None, "limit": limit, "offset": offset},
    )


async def counted(tx: Tx) -> list[Counted]:
    """Return how many prizes of each draw are in each state, the draws that were drawn last first."""
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_TALLIES)
        return [msgspec.convert(row, Counted) for row in await cursor.fetchall()]


async def insert_act(
    tx: Tx, of: Award, act: PrizeAct, now: datetime, *, by: str = "", note: str = "", address_id: UUID | None = None
) -> None:
    """Record what was done with a locked prize."""
    await tx.execute(
        "insert into draws.prize_act (draw_id, serial, act, acted_at, by, note, address_id)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        [of.draw_id, of.serial, str(act), now, by, note, address_id],
    )


async def unlawful(tx: Tx) -> tuple[int, list[str]]:
    """Return how many acts there are, and those that no rule allows: a claim too late, a forfeit too early or of what
    was claimed."""
    row = await (await tx.execute(UNLAWFUL)).fetchone()
    assert row is not None
    return int(row[0]), sorted(row[1])[:5]


def _only(found: list[Award]) -> Award | None:
    return found[0] if found else None


async def _awards(tx: Tx, statement: LiteralString, values: Sequence[object] | dict[str, object]) -> list[Award]:
    async with tx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, values)
        return [msgspec.convert(row, Award) for row in await cursor.fetchall()]
