"""Schema migrations: plain SQL files beside the module that owns the schema, applied once each, under a lock.

A file that was applied is immutable; a changed one is refused with its name.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from procrastinate.schema import SchemaManager

from tidegate.base.crypto import digest
from tidegate.base.db import Database, Tx, statement

_LOCK = 0x7469646567617465  # "tidegate": one migration at a time on one database
_ROOMS = ("base", "trust", "offer", "gate", "sale", "care", "watch")


class Migration(NamedTuple):
    """One SQL file: `module` is its dotted place, such as `sale.stock`."""

    module: str
    name: str
    sql: str


def migrations() -> list[Migration]:
    """Return all migrations of the package, room by room from the ground up, in order of their numbers."""
    root = files("tidegate")
    found = _of_folder("base", root / "base")
    for room in _ROOMS[1:]:
        if (root / room).is_dir():
            modules = sorted(
                (place for place in (root / room).iterdir() if place.is_dir()), key=lambda place: place.name
            )
            found += [each for module in modules for each in _of_folder(f"{room}.{module.name}", module)]
    return found


def _of_folder(module: str, folder: Traversable) -> list[Migration]:
    place = folder / "migrations"
    if not place.is_dir():
        return []
    sql_files = sorted((file for file in place.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [Migration(module, file.name, file.read_text(encoding="utf-8")) for file in sql_files]


async def migrate(db: Database) -> int:
    """Apply what is missing and return how many files that were. Raises ValueError for a file changed after use."""
    async with db.connection() as connection:
        await connection.execute("select pg_advisory_lock(%s)", [_LOCK])
        await _prepare(connection)
        applied = await _applied(connection)
        fresh = [each for each in migrations() if _is_fresh(each, applied)]
        for each in fresh:
            async with connection.transaction():
                await connection.execute(statement(each.sql))
                await connection.execute(
                    "insert into base.migration (module, name, sha256) values (%s, %s, %s)",
                    [each.module, each.name, digest(each.sql.encode())],
                )
        return len(fresh)


async def pending(tx: Tx) -> list[str]:
    """Return the names of migrations that the database still lacks."""
    row = await (await tx.execute("select to_regclass('base.migration') is not null")).fetchone()
    applied = await _applied(tx) if row and row[0] else {}
    return [f"{each.module}/{each.name}" for each in migrations() if (each.module, each.name) not in applied]


async def _prepare(connection: Tx) -> None:
    """Make the record of migrations, and the job queue's own schema, which its library carries."""
    async with connection.transaction():
        await connection.execute("create schema if not exists base")
        await connection.execute(
            "create table if not exists base.migration (module text, name text, sha256 text not null,"
            " applied_at timestamptz not null default now(), primary key (module, name))"
        )
        row = await (await connection.execute("select to_regclass('procrastinate.procrastinate_jobs')")).fetchone()
        if row is None or row[0] is None:
            await connection.execute("create schema if not exists procrastinate")
            await connection.execute(statement(SchemaManager.get_schema()))


async def _applied(connection: Tx) -> dict[tuple[str, str], str]:
    rows = await (await connection.execute("select module, name, sha256 from base.migration")).fetchall()
    return {(module, name): sha256 for module, name, sha256 in rows}


def _is_fresh(each: Migration, applied: dict[tuple[str, str], str]) -> bool:
    known = applied.get((each.module, each.name))
    if known is not None and known != digest(each.sql.encode()):
        raise ValueError(
            f"{each.module}/{each.name} was changed after it had been applied to this database. "
            "Nothing was applied. Put the file back and write the change as a new file."
        )
    return known is None
