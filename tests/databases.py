"""Databases for the tests: each test finds one as the migrations left it.

Copying a database costs more than most tests that use it. So a test's database is emptied and lent again, unless
the test changed its schema or left many rows: then it is dropped, and the next is copied from the template.
"""

import asyncio
import os
from dataclasses import dataclass
from typing import Any

import psycopg

from tidegate.base.db import Database
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.migration import migrate

_TEMPLATE = "tidegate_template"
_ROWS_WORTH_DELETING = 5_000
_INSERT = "insert into {table} overriding system value select * from json_populate_recordset(null::{table}, %s)"
_OUR_SCHEMAS = "nspname !~ '^(pg_|information_schema)'"


@dataclass(frozen=True)
class _Pristine:
    """What a migrated database holds: its schema's fingerprint, its tables, their first rows and its sequences."""

    schema: str
    tables: tuple[str, ...]
    rows: dict[str, str]
    sequences: dict[str, tuple[int, bool]]


class Databases:
    """Databases on one server, lent one at a time."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._spare: str | None = None
        with self._connected() as connection:
            connection.execute(f"create database {_TEMPLATE}")
        asyncio.run(migrate(Database(server.maintenance_url(_TEMPLATE))))
        with self._connected(_TEMPLATE) as connection:
            self._pristine = _read_pristine(connection)

    def lend(self) -> str:
        """Return the name of a database that is as the migrations left it."""
        if self._spare is not None:
            name, self._spare = self._spare, None
            return name
        name = f"test_{os.getpid()}_{os.urandom(4).hex()}"
        with self._connected() as connection:
            connection.execute(f"create database {name} template {_TEMPLATE} strategy file_copy")
        return name

    def take_back(self, name: str) -> None:
        """End whoever is still connected; empty it for the next test, or drop it."""
        if self._spare is None and self._emptied(name):
            self._spare = name
            return
        with self._connected() as connection:
            connection.execute(f"drop database {name} with (force)")

    def url(self, name: str) -> str:
        """Where it is reached."""
        return self._server.maintenance_url(name)

    def _connected(self, name: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self._server.maintenance_url(name), autocommit=True)

    def _emptied(self, name: str) -> bool:
        with self._connected(name) as connection:
            connection.execute(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            if _fingerprint(connection) != self._pristine.schema:
                return False
            # Neither triggers nor foreign keys stand in the way of an owner who puts everything back.
            connection.execute("set session_replication_role = replica")
            connection.execute("set synchronous_commit = off")
            deleted = _delete_all(connection, self._pristine.tables)
            _put_back(connection, self._pristine)
            return deleted < _ROWS_WORTH_DELETING


def _read_pristine(connection: psycopg.Connection[tuple[Any, ...]]) -> _Pristine:
    tables = tuple(
        row[0]
        for row in connection.execute(
            "select format('%I.%I', nspname, relname) from pg_class join pg_namespace n on n.oid = relnamespace"
            f" where relkind in ('r', 'p') and not relispartition and {_OUR_SCHEMAS}"
        )
    )
    rows = {
        table: _one(connection, f"select json_agg(t order by t::text)::text from {table} t")
        for table in _filled(connection, tables)
    }
    return _Pristine(_fingerprint(connection), tables, rows, _sequences(connection))


def _fingerprint(connection: psycopg.Connection[tuple[Any, ...]]) -> str:
    """Return what changes when a table, column, index, constraint, function or trigger is made, altered or dropped."""
    return str(
        _one(
            connection,
            "select md5(string_agg(oid || ':' || xmin, ',' order by oid, xmin::text)) from ("
            " select oid, xmin from pg_class union all select oid, xmin from pg_constraint"
            " union all select oid, xmin from pg_proc union all select oid, xmin from pg_trigger"
            " union all select attrelid, xmin from pg_attribute where attnum > 0) as each where oid >= 16384",
        )
    )


def _filled(connection: psycopg.Connection[tuple[Any, ...]], tables: tuple[str, ...]) -> list[str]:
    asked = " union all ".join(f"select '{table}' where exists (select from {table})" for table in tables)
    return [row[0] for row in connection.execute(asked.encode())]


def _sequences(connection: psycopg.Connection[tuple[Any, ...]]) -> dict[str, tuple[int, bool]]:
    return {
        name: (first if last is None else last, last is not None)
        for name, first, last in connection.execute(
            "select format('%I.%I', schemaname, sequencename), start_value, last_value from pg_sequences"
        )
    }


def _delete_all(connection: psycopg.Connection[tuple[Any, ...]], tables: tuple[str, ...]) -> int:
    return sum(connection.execute(f"delete from {table}".encode()).rowcount for table in _filled(connection, tables))


def _put_back(connection: psycopg.Connection[tuple[Any, ...]], pristine: _Pristine) -> None:
    for table, rows in pristine.rows.items():
        connection.execute(
            _INSERT.format(table=table).encode(),
            [rows],
        )
    for name, (value, called) in _sequences(connection).items():
        if pristine.sequences[name] != (value, called):
            connection.execute("select setval(%s, %s, %s)", [name, *pristine.sequences[name]])


def _one(connection: psycopg.Connection[tuple[Any, ...]], query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]
