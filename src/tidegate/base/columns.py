"""Columns of a batch: each goes to PostgreSQL as one array in binary form, and is written at once.

psycopg dumps a list element by element, in Python; here a column's bytes are joined. Each column has its type, so that
a statement unfolds several with `unnest` and names none:

    insert into sale.line (order_id, sku, units) select * from unnest(%s, %s, %s)
    [columns.uuids(...), columns.texts(...), columns.bigints(...)]

The form is PostgreSQL's own (`array_send`): dimensions, whether there are nulls, the element's type, length and lower
bound, and of each element its length in bytes and its bytes.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from struct import Struct
from typing import ClassVar
from uuid import UUID

import psycopg
from psycopg import pq
from psycopg.adapt import Dumper

_HEAD = Struct(">iiiii").pack
_BIGINT = Struct(">iq").pack
_LENGTH = Struct(">i").pack
_NULL = _LENGTH(-1)
_UUID_LENGTH = _LENGTH(16)
_FALSE, _TRUE = _LENGTH(1) + b"\x00", _LENGTH(1) + b"\x01"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class _Column:
    """An array as PostgreSQL receives it."""

    __slots__ = ("data",)

    element: ClassVar[int]

    def __init__(self, elements: Collection[bytes]) -> None:
        self.data = _HEAD(1, 1, self.element, len(elements), 1) + b"".join(elements)


class _ColumnDumper(Dumper):
    format = pq.Format.BINARY

    def dump(self, obj: _Column) -> bytes:
        return obj.data


def _column(name: str) -> type[_Column]:
    """Return the class of the columns of a type that PostgreSQL knows under `name`, known to psycopg from now on."""
    known = psycopg.adapters.types[name]
    column = type(f"{name.title()}Column", (_Column,), {"element": known.oid})
    dumper = type(f"{name.title()}ColumnDumper", (_ColumnDumper,), {"oid": known.array_oid})
    psycopg.adapters.register_dumper(column, dumper)
    return column


_Uuids = _column("uuid")
_Texts = _column("text")
_Bigints = _column("int8")
_Bools = _column("bool")
_Blobs = _column("bytea")
_Jsons = _column("json")
_Moments = _column("timestamptz")


def uuids(values: Iterable[UUID]) -> _Column:
    """Return a column of type `uuid`."""
    return _Uuids([_UUID_LENGTH + value.int.to_bytes(16, "big") for value in values])


def texts(values: Iterable[str | None]) -> _Column:
    """Return a column of type `text`."""
    return _Texts([_NULL if value is None else _LENGTH(len(text := value.encode())) + text for value in values])


def bigints(values: Iterable[int]) -> _Column:
    """Return a column of type `bigint`. Raises struct.error for a number beyond 64 bits."""
    return _Bigints([_BIGINT(8, value) for value in values])


def bools(values: Iterable[bool]) -> _Column:
    """Return a column of type `boolean`."""
    return _Bools([_TRUE if value else _FALSE for value in values])


def blobs(values: Iterable[bytes]) -> _Column:
    """Return a column of type `bytea`."""
    return _Blobs([_LENGTH(len(value)) + value for value in values])


def jsons(values: Iterable[bytes]) -> _Column:
    """Return a column of type `json` from encoded JSON."""
    return _Jsons([_LENGTH(len(value)) + value for value in values])


def moments(values: Iterable[datetime]) -> _Column:
    """Return a column of type `timestamp with time zone`."""
    written: dict[datetime, bytes] = {}  # the rows of a batch mostly share them
    elements = []
    for value in values:
        if value not in written:
            since = value - _EPOCH
            written[value] = _BIGINT(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)
        elements.append(written[value])
    return _Moments(elements)
