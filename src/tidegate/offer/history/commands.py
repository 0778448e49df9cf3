"""`tidegate prices`: bring earlier prices in, look at a product's history, verify the chain."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from getpass import getuser
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.base.invariant import Check
from tidegate.base.money import format_money
from tidegate.offer.history.api import PriceHistory
from tidegate.offer.history.contracts import Imported, Sealed
from tidegate.offer.history.errors import PricesFaulty

FILE_BYTES_MAX = 256 * 1024 * 1024

Open = Callable[[], AbstractAsyncContextManager[tuple[Database, PriceHistory]]]
"""Opens the installation named by the environment; the app provides it."""


def group(opened: Open) -> click.Group:
    """Return the commands `prices ...`, working on the installation that `opened` gives."""

    @click.group("prices", short_help="The price history: import, show, verify.")
    def prices() -> None:
        """Keep the proof of every price: what was offered, what was sold, sealed entry by entry."""

    prices.add_command(_import(opened))
    prices.add_command(_show(opened))
    prices.add_command(_verify(opened))
    return prices


def _import(opened: Open) -> click.Command:
    @click.command("import", short_help="Add the prices of a former system from a CSV file.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--by", metavar="NAME", help="Who imports; kept with the import. Default: you.")
    def take(file: Path, by: str | None) -> None:
        """Add FILE to the history: columns kind, sku, shop, currency, price, units, at, until (docs/law.md).

        All rows or none. The same file is taken once.
        """
        if file.stat().st_size > FILE_BYTES_MAX:
            raise click.ClickException(f"{file} is larger than {FILE_BYTES_MAX // 1024 // 1024} MiB. Split it.")
        try:
            text = file.read_text(encoding="utf-8")
            added = asyncio.run(_imported(opened, text, file.name, by or getuser()))
        except UnicodeDecodeError:
            raise click.ClickException(f"{file} is not UTF-8 text. Nothing was imported.") from None
        except Refusal as refusal:
            for fault in refusal.faults if isinstance(refusal, PricesFaulty) else ():
                click.echo(fault, err=True)
            raise click.ClickException(refusal.detail) from None
        click.echo(f"Added {added.entries:,} entries of {added.products:,} products (sha256 {added.sha256[:12]}).")

    return take


async def _imported(opened: Open, text: str, file: str, by: str) -> Imported:
    async with opened() as (db, history), db.transaction() as tx:
        return await history.import_prices(tx, text, file=file, by=by)


def _show(opened: Open) -> click.Command:
    @click.command("show", short_help="The newest entries of one product.")
    @click.argument("sku")
    @click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000))
    @click.option("--json", "as_json", is_flag=True, help="Print the entries as JSON.")
    def show(sku: str, limit: int, *, as_json: bool) -> None:
        """Show what is recorded of SKU, newest first."""
        found = asyncio.run(_shown(opened, sku, limit))
        if as_json:
            click.echo(msgspec.json.encode(found).decode())
            return
        if not found:
            click.echo(f"Nothing is recorded of {sku}.")
            return
        table = Table("No.", "Kind", "Price", "Units", "From (UTC)", "Until (UTC)", "Source", box=None, pad_edge=False)
        for each in found:
            entry = each.entry
            price = "–" if entry.price is None else format_money(entry.price, entry.currency, "en")
            until = f"{entry.until:%Y-%m-%d %H:%M:%S}" if entry.until else ""
            at = f"{entry.at:%Y-%m-%d %H:%M:%S}"
            table.add_row(str(each.number), entry.kind.value, price, str(entry.units or ""), at, until, entry.source)
        Console().print(table)

    return show


async def _shown(opened: Open, sku: str, limit: int) -> list[Sealed]:
    async with opened() as (db, history), db.read() as tx:
        return await history.entries(tx, sku, limit)


def _verify(opened: Open) -> click.Command:
    @click.command("verify", short_help="Verify the hash of every entry.")
    def verify() -> None:
        """Verify the whole chain; exits 1 and names the entries that do not fit."""
        check = asyncio.run(_verified(opened))
        click.echo(f"{check.examined:,} entries: {'the chain holds' if check.holds else check.detail}.")
        raise SystemExit(0 if check.holds else 1)

    return verify


async def _verified(opened: Open) -> Check:
    async with opened() as (db, history), db.snapshot() as tx:
        return await history.verify(tx)
