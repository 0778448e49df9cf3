"""The SQL of devices and places, as thin functions."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from tidegate.base import columns
from tidegate.base.db import Tx


class PlaceRow(msgspec.Struct, frozen=True, kw_only=True):
    """An address, sealed, and the digest of its place where one is kept."""

    address_id: UUID
    address_sealed: bytes
    place_index: bytes | None


async def devices(tx: Tx, session_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return the devices of those of these sessions that are not their own."""
    rows = await tx.execute(
        "select session_id, device_id from identity.session"
        " where session_id = any(%b::uuid[]) and device_id is not null",
        [columns.uuids(session_ids)],
    )
    return dict(await rows.fetchall())


async def places(tx: Tx, address_ids: Sequence[UUID]) -> list[PlaceRow]:
    """Return these addresses with their places."""
    async with tx.cursor(row_factory=class_row(PlaceRow)) as cursor:
        await cursor.execute(
            "select address_id, address_sealed, place_index from identity.address where address_id = any(%s)",
            [list(address_ids)],
        )
        return await cursor.fetchall()


async def put_places(tx: Tx, digests: Mapping[UUID, bytes]) -> None:
    """Keep the digests of places, in key order."""
    await tx.execute(
        "update identity.address a set place_index = new.place_index"
        " from unnest(%s::uuid[], %s::bytea[]) as new (address_id, place_index) where a.address_id = new.address_id",
        [list(digests), list(digests.values())],
    )
