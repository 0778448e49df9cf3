"""Columns, as PostgreSQL itself reads them back."""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest

from tidegate.base import columns
from tidegate.base.db import Database

pytestmark = pytest.mark.database

MOMENTS = (
    datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2000, 1, 1, tzinfo=UTC),
    datetime(2026, 11, 11, 0, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 11, 11, 8, tzinfo=timezone(timedelta(hours=8))),
    datetime(2026, 11, 11, 0, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("column", "type_name", "values"),
    [
        (columns.uuids, "uuid", (UUID(int=0), UUID(int=2**128 - 1), uuid4())),
        (columns.texts, "text", ("", None, "潮闸 🌊", 'a "quoted", \\ {braced} word\n', "null", "x" * 70_000)),
        (columns.bigints, "bigint", (0, -1, 1, 2**63 - 1, -(2**63))),
        (columns.bools, "boolean", (True, False, True)),
        (columns.blobs, "bytea", (b"", b"\x00\xff\\x", bytes(range(256)))),
        (columns.moments, "timestamp with time zone", MOMENTS),
    ],
)
async def test_a_column_is_read_back_as_it_was(
    db: Database, column: Callable[[Sequence[Any]], object], type_name: str, values: Sequence[Any]
) -> None:
    for some in (values, values[:1], ()):
        async with db.read() as tx:
            found = await tx.execute("select * from unnest(%s) with ordinality order by 2", [column(some)])
            assert [value for value, _ in await found.fetchall()] == list(some)
    async with db.read() as tx:
        [(told,)] = await (await tx.execute("select pg_typeof(%s)::text", [column(values)])).fetchall()
    assert told == f"{type_name}[]"


async def test_json_travels_as_it_is_written(db: Database) -> None:
    written = (b'{"b":1, "a":[null,"\\u6f6e"]}', '"潮"'.encode(), b"17")
    async with db.read() as tx:
        found = await tx.execute("select value::text from unnest(%s) as value", [columns.jsons(written)])
        assert [text.encode() for (text,) in await found.fetchall()] == list(written)


async def test_columns_of_a_batch_unfold_to_its_rows(db: Database) -> None:
    async with db.read() as tx:
        found = await tx.execute(
            "select * from unnest(%(skus)s, %(units)s) as line (sku, units) where sku is distinct from %(other)s",
            {"skus": columns.texts(["A", None, "C"]), "units": columns.bigints([1, 2, 3]), "other": "A"},
        )
        assert await found.fetchall() == [(None, 2), ("C", 3)]


def test_a_number_beyond_64_bits_is_refused_here() -> None:
    with pytest.raises(struct.error):
        columns.bigints([2**63])
