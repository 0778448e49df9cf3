"""All SQL of draws. Rows are written once; what is due is skipped while another process works on it."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import msgspec
from psycopg.rows import class_row, kwargs_row

from tidegate.base.db import Tx
from tidegate.gate.queue.api import PublishedNumber
from tidegate.gate.queue.contracts import AnnouncedNumber
from tidegate.offer.campaign.contracts import Draw
from tidegate.sale.draws.contracts import DrawRow, Winner
from tidegate.sale.draws.rules import Entry

_DRAW: LiteralString = (
    "draw_id, campaign_id, name, terms, seed_hash, seed_sealed, opened_at, entries, root, sealed_at, seed, drawn_at,"
    " announced, number_text, number_proof, number_missed"
)


def _row(**row: object) -> DrawRow:
    read = {
        "terms": msgspec.convert(row["terms"], Draw),
        "announced": msgspec.convert(row["announced"], AnnouncedNumber | None),
    }
    return DrawRow(**{**row, **read})  # type: ignore[arg-type]


async def open_draw(tx: Tx, row: DrawRow) -> None:
    """Open a draw; one that is open already stays as it is."""
    await tx.execute(
        "insert into draws.draw (draw_id, campaign_id, name, terms, seed_hash, seed_sealed, opened_at, announced)"
        " values (%s, %s, %s, %s::json, %s, %s, %s, %s::json) on conflict (campaign_id, name) do nothing",
        [
            row.draw_id,
            row.campaign_id,
            row.name,
            msgspec.json.encode(row.terms).decode(),
            row.seed_hash,
            row.seed_sealed,
            row.opened_at,
            msgspec.json.encode(row.announced).decode() if row.announced else None,
        ],
    )


async def draws(tx: Tx, campaign_id: str) -> list[DrawRow]:
    """Return a campaign's draws, in the order of their closing."""
    found = await _draws(tx, f"select {_DRAW} from draws.draw where campaign_id = %s", [campaign_id])
    return sorted(found, key=lambda row: (row.terms.closes_at, row.name))


async def draw(tx: Tx, draw_id: UUID) -> DrawRow | None:
    """Return one draw."""
    found = await _draws(tx, f"select {_DRAW} from draws.draw where draw_id = %s", [draw_id])
    return found[0] if found else None


async def lock_undrawn(tx: Tx, draw_id: UUID) -> DrawRow | None:
    """Lock a draw that is not drawn and return it; None where it is, or another process works on it."""
    found = await _draws(
        tx,
        f"select {_DRAW} from draws.draw where draw_id = %s and drawn_at is null for update skip locked",
        [draw_id],
    )
    return found[0] if found else None


async def undrawn(tx: Tx) -> list[DrawRow]:
    """Return every draw that is not drawn."""
    return await _draws(tx, f"select {_DRAW} from draws.draw where drawn_at is null", [])


async def seal(tx: Tx, draw_id: UUID, entries: Sequence[Entry], root: bytes, now: datetime) -> None:
    """Write the sealed list of a locked draw and its root."""
    await tx.execute(
        "insert into draws.entry (draw_id, serial, order_id, account_id)"
        " select %s, serial, order_id, account_id from unnest(%s::bigint[], %s::uuid[], %s::uuid[])"
        " as listed (serial, order_id, account_id)",
        [draw_id, *([entry[place] for entry in entries] for place in range(3))],
    )
    await tx.execute(
        "update draws.draw set entries = %s, root = %s, sealed_at = %s where draw_id = %s",
        [len(entries), root, now, draw_id],
    )


async def put_number(tx: Tx, draw_id: UUID, number: PublishedNumber) -> None:
    """Write the public number of a locked draw that lacks it."""
    await tx.execute(
        "update draws.draw set number_text = %s, number_proof = %s where draw_id = %s",
        [number.text, number.proof, draw_id],
    )


async def miss_number(tx: Tx, draw_id: UUID, why: str) -> None:
    """Write why a locked draw does without its public number."""
    await tx.execute("update draws.draw set number_missed = %s where draw_id = %s", [why, draw_id])


async def put_winners(tx: Tx, draw_id: UUID, winners: Sequence[Winner], seed: bytes, now: datetime) -> None:
    """Reveal the seed of a locked draw and write its winners."""
    await tx.execute(
        "insert into draws.winner (draw_id, prize, serial, account_id)"
        " select %s, prize, serial, account_id from unnest(%s::integer[], %s::bigint[], %s::uuid[])"
        " as won (prize, serial, account_id)",
        [
            draw_id,
            [each.prize for each in winners],
            [each.serial for each in winners],
            [each.account_id for each in winners],
        ],
    )
    await tx.execute("update draws.draw set seed = %s, drawn_at = %s where draw_id = %s", [seed, now, draw_id])


async def entries(tx: Tx, draw_id: UUID, offset: int = 0, limit: int | None = None) -> list[Entry]:
    """Return the sealed list, or a part of it, in the order of the serials."""
    rows = await tx.execute(
        "select serial, order_id, account_id from draws.entry where draw_id = %s and serial >= %s"
        " order by serial limit %s",
        [draw_id, offset, limit],
    )
    return await rows.fetchall()


async def entries_of(tx: Tx, draw_id: UUID, account_id: UUID) -> list[Entry]:
    """Return an account's entries in a sealed list."""
    rows = await tx.execute(
        "select serial, order_id, account_id from draws.entry where draw_id = %s and account_id = %s order by serial",
        [draw_id, account_id],
    )
    return await rows.fetchall()


async def winners(tx: Tx, draw_id: UUID) -> list[Winner]:
    """Return a draw's winners, prize by prize, in the order of their serials."""
    async with tx.cursor(row_factory=class_row(Winner)) as cursor:
        await cursor.execute(
            "select w.prize, w.serial, e.order_id, w.account_id from draws.winner w"
            " join draws.entry e using (draw_id, serial) where draw_id = %s order by w.prize, w.serial",
            [draw_id],
        )
        return await cursor.fetchall()


async def drawn_last(tx: Tx, limit: int) -> list[DrawRow]:
    """Return the draws that were drawn last."""
    return await _draws(
        tx,
        f"select {_DRAW} from draws.draw where drawn_at is not null order by drawn_at desc limit %s",
        [limit],
    )


async def _draws(tx: Tx, statement: LiteralString, values: Sequence[object]) -> list[DrawRow]:
    async with tx.cursor(row_factory=kwargs_row(_row)) as cursor:
        await cursor.execute(statement, values)
        return await cursor.fetchall()
