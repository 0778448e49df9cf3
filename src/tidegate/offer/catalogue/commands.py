"""`tidegate catalogue`: import goods from a file, search them, draw their pictures, update the search index."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import NoReturn, Protocol

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.base.money import format_money
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.catalogue.contracts import PAGE_LIMIT_MAX, Goods, Match, SearchResult
from tidegate.offer.catalogue.errors import GoodsFileRefused
from tidegate.offer.catalogue.importing import read_goods

FILE_BYTES_MAX = 256 * 1024 * 1024
FAULTS_SHOWN_MAX = 50

Told = Callable[[int, int], None]


class Desk(Protocol):
    """What the commands need of a running installation."""

    @property
    def db(self) -> Database:
        """Its database."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """Its catalogue."""
        ...


OpenDesk = Callable[[], AbstractAsyncContextManager[Desk]]
"""Opens the installation named by the environment; the app provides it."""


def group(open_desk: OpenDesk) -> click.Group:
    """Return the commands `catalogue ...`, working on the installation that `open_desk` opens."""

    @click.group("catalogue", short_help="Import, search and draw goods.")
    def catalogue() -> None:
        """Keep the goods: import them from a file, find them, draw their pictures."""

    for command in (_import(open_desk), _search(open_desk), _index(open_desk), _pictures(open_desk)):
        catalogue.add_command(command)
    return catalogue


def _import(open_desk: OpenDesk) -> click.Command:
    @click.command("import", short_help="Import goods from a CSV file.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--check", "only_check", is_flag=True, help="Name the faults and change nothing.")
    @click.option("--json", "as_json", is_flag=True, help="Print the outcome, or the faults, as JSON.")
    def command(file: Path, *, only_check: bool, as_json: bool) -> None:
        """Import the goods of FILE: new ones are added, those of a known SKU replaced, all or none.

        Columns: sku, name_zh, name_en, category, list_price (such as 129.00), and if you like brand,
        description_zh, description_en, picture (such as kettle/teal/1).
        """
        goods = _read(file, as_json=as_json)
        changed = 0 if only_check else asyncio.run(_put(open_desk, goods, as_json=as_json))
        if as_json:
            click.echo(msgspec.json.encode({"goods": len(goods), "changed": changed}).decode())
        elif only_check:
            click.echo(f"{len(goods):,} goods, no faults. Nothing was imported.")
        else:
            click.echo(f"{len(goods):,} goods read, {changed:,} of them new or different and imported.")

    return command


def _read(file: Path, *, as_json: bool) -> list[Goods]:
    if file.stat().st_size > FILE_BYTES_MAX:
        raise click.ClickException(f"{file} is larger than {FILE_BYTES_MAX >> 20} MiB. Nothing was imported; part it.")
    try:
        return read_goods(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} is not UTF-8 text. Nothing was imported.") from None
    except GoodsFileRefused as refusal:
        _refuse(file, refusal, as_json=as_json)


def _refuse(file: Path, refusal: GoodsFileRefused, *, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(msgspec.json.encode({"detail": refusal.detail, "faults": refusal.faults}).decode())
        raise SystemExit(1)
    for fault in refusal.faults[:FAULTS_SHOWN_MAX]:
        where = f"{file.name}:{fault.line}: {fault.field}".removesuffix(": ")
        click.echo(f"{where}: {fault.fault}", err=True)
    if len(refusal.faults) > FAULTS_SHOWN_MAX:
        click.echo(f"... and {len(refusal.faults) - FAULTS_SHOWN_MAX} more; --json shows all", err=True)
    raise click.ClickException(refusal.detail)


async def _put(open_desk: OpenDesk, goods: list[Goods], *, as_json: bool) -> int:
    async with open_desk() as desk:
        with _progress("Importing", quiet=as_json) as told:
            told(0, len(goods))
            try:
                async with desk.db.transaction() as tx:
                    changed = await desk.catalogue.put_goods(tx, goods)
            except Refusal as refusal:
                raise click.ClickException(refusal.detail) from None
            told(len(goods), len(goods))
    return changed


def _search(open_desk: OpenDesk) -> click.Command:
    @click.command("search", short_help="Search the goods.")
    @click.argument("query", nargs=-1, required=True)
    @click.option(
        "--limit", type=click.IntRange(1, PAGE_LIMIT_MAX), default=10, show_default=True, help="Goods at most."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    def command(query: tuple[str, ...], limit: int, *, as_json: bool) -> None:
        """Search goods by QUERY: Chinese, English, a SKU; typos and unfinished words are forgiven."""
        result = asyncio.run(_found(open_desk, " ".join(query), limit, as_json=as_json))
        if as_json:
            click.echo(msgspec.json.encode(result).decode())
        else:
            _print_result(result)

    return command


async def _found(open_desk: OpenDesk, query: str, limit: int, *, as_json: bool) -> SearchResult:
    async with open_desk() as desk:
        with _progress("Bringing the index up to date", quiet=as_json) as told:
            async with desk.db.read() as tx:
                await desk.catalogue.update_index(tx, told)
        try:
            return desk.catalogue.search(query, limit)
        except Refusal as refusal:
            raise click.ClickException(refusal.detail) from None


def _print_result(result: SearchResult) -> None:
    if result.match is Match.NONE:
        click.echo(f"Nothing found for {result.query!r}. Try fewer or other words.")
        return
    table = Table("SKU", "中文", "English", "Category", box=None, pad_edge=False)
    table.add_column("List price", justify="right")
    for goods in result.goods:
        price = format_money(goods.list_price, "CNY", "en")
        table.add_row(goods.sku, goods.name.zh, goods.name.en, goods.category, price)
    Console().print(table)
    nearness = {Match.SIMILAR: ", spelt nearly so", Match.PARTIAL: ", with some of the words"}.get(result.match, "")
    click.echo(f"{result.total:,} found{nearness}; {len(result.goods)} shown.")


def _index(open_desk: OpenDesk) -> click.Command:
    @click.command("index", short_help="Bring this machine's search index up to date.")
    def command() -> None:
        """Bring the search index on this machine up to date. The worker does so by itself every second."""
        written = asyncio.run(_updated(open_desk))
        click.echo(f"{written:,} goods written to the index." if written else "The index is up to date.")

    return command


async def _updated(open_desk: OpenDesk) -> int:
    async with open_desk() as desk:
        with _progress("Indexing", quiet=False) as told:
            async with desk.db.read() as tx:
                return await desk.catalogue.update_index(tx, told)


def _pictures(open_desk: OpenDesk) -> click.Command:
    @click.command("pictures", short_help="Draw the pictures of all goods ahead of time.")
    @click.option(
        "--processes", type=click.IntRange(1, 64), default=2, show_default=True, help="How many draw at once."
    )
    def command(processes: int) -> None:
        """Draw the pictures that are missing. What is not drawn ahead is drawn when a shopper first asks for it."""
        written = asyncio.run(_drawn(open_desk, processes))
        click.echo(f"{written:,} files drawn." if written else "All pictures are there.")

    return command


async def _drawn(open_desk: OpenDesk, processes: int) -> int:
    async with open_desk() as desk:
        with _progress("Drawing", quiet=False) as told:
            async with desk.db.read() as tx:
                return await desk.catalogue.render_pictures(tx, told, processes=processes)


@contextmanager
def _progress(words: str, *, quiet: bool) -> Iterator[Told]:
    """A bar on the error stream, which leaves the output clean."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
