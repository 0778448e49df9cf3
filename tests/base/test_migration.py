"""Migrations: applied once, under a lock, and never changed afterwards."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from tidegate.base.crypto import digest
from tidegate.base.db import Database
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.embedded.valkey import EmbeddedValkey
from tidegate.base.migration import migrate, migrations, pending


@pytest.fixture
async def empty(servers: tuple[EmbeddedPostgres, EmbeddedValkey]) -> AsyncIterator[Database]:
    """A database with nothing in it."""
    postgres, _ = servers
    with psycopg.connect(postgres.maintenance_url(), autocommit=True) as connection:
        connection.execute("create database test_migration")
    database = Database(postgres.maintenance_url("test_migration"))
    await database.open()
    yield database
    await database.close()
    with psycopg.connect(postgres.maintenance_url(), autocommit=True) as connection:
        connection.execute("drop database test_migration with (force)")


async def _record(db: Database) -> list[tuple[str, str, str]]:
    async with db.read() as tx:
        rows = await tx.execute("select module, name, sha256 from base.migration order by applied_at, module, name")
        return [(module, name, sha256) for module, name, sha256 in await rows.fetchall()]


async def _schemas(db: Database) -> set[str]:
    async with db.read() as tx:
        rows = await tx.execute("select nspname from pg_namespace where nspname !~ '^pg_'")
        return {name for (name,) in await rows.fetchall()}


def test_rooms_come_from_the_ground_up_and_files_in_order() -> None:
    found = migrations()
    assert found[0].module == "base"
    rooms = [each.module.split(".")[0] for each in found]
    order = ["base", "trust", "offer", "gate", "sale", "care", "watch"]
    assert rooms == sorted(rooms, key=order.index)
    for module in {each.module for each in found}:
        names = [each.name for each in found if each.module == module]
        assert names == sorted(names)
        assert all(name[:4].isdigit() and name.endswith(".sql") for name in names)


async def test_everything_is_applied_once_and_recorded(empty: Database) -> None:
    async with empty.read() as tx:
        assert await pending(tx) == [f"{each.module}/{each.name}" for each in migrations()]
    assert await migrate(empty) == len(migrations())
    assert await migrate(empty) == 0
    record = await _record(empty)
    assert sorted(record) == sorted((each.module, each.name, digest(each.sql.encode())) for each in migrations())
    assert {"base", "procrastinate", "ordering", "payment", "stock"} <= await _schemas(empty)
    async with empty.read() as tx:
        assert await pending(tx) == []


async def test_two_migrators_at_once_apply_each_file_once(empty: Database) -> None:
    applied = await asyncio.gather(*[migrate(empty) for _ in range(3)])
    assert sorted(applied) == [0, 0, len(migrations())]
    assert len(await _record(empty)) == len(migrations())


async def test_a_file_changed_after_use_is_refused_by_name_and_nothing_is_applied(db: Database) -> None:
    first = migrations()[0]
    async with db.transaction() as tx:
        await tx.execute("update base.migration set sha256 = 'other' where module = %s and name = %s", first[:2])
        last = migrations()[-1]
        await tx.execute("delete from base.migration where module = %s and name = %s", last[:2])
    before = await _record(db)
    with pytest.raises(ValueError, match=rf"{first.module}/{first.name} was changed after it had been applied"):
        await migrate(db)
    assert await _record(db) == before
    async with db.read() as tx:
        assert await pending(tx) == [f"{last.module}/{last.name}"]


async def test_a_file_that_fails_leaves_what_came_before_and_is_tried_again(empty: Database) -> None:
    async with empty.transaction() as tx:
        await tx.execute("create schema ordering")
        await tx.execute("create table ordering.refund (in_the_way int)")
    with pytest.raises(psycopg.errors.DuplicateSchema):
        await migrate(empty)
    done = {(module, name) for module, name, _ in await _record(empty)}
    names = [(each.module, each.name) for each in migrations()]
    stuck = next(name for name in names if name[0] == "sale.ordering")
    assert done == set(names[: names.index(stuck)])
    async with empty.transaction() as tx:
        await tx.execute("drop schema ordering cascade")
    assert await migrate(empty) == len(names) - len(done)
