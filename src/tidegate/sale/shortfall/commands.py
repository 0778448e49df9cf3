"""`tidegate stock`: what there is of each SKU, and that fewer units are there than were sold."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from hashlib import blake2b
from typing import Protocol, TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.offer.pricing.api import Pricing
from tidegate.sale.shortfall.api import Shortfalls
from tidegate.sale.shortfall.contracts import Forecast, Remedy, StateShortfall, Told
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.contracts import LevelPage
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import Permission

T = TypeVar("T")
_ROWS = 50


class Desk(Protocol):
    """What the commands need of a running installation."""

    @property
    def db(self) -> Database:
        """Its database."""
        ...

    @property
    def identity(self) -> Identity:
        """Its staff."""
        ...

    @property
    def pricing(self) -> Pricing:
        """Who knows the current campaign."""
        ...

    @property
    def stock(self) -> Stock:
        """Its stock."""
        ...

    @property
    def shortfalls(self) -> Shortfalls:
        """What falls short of it."""
        ...


OpenDesk = Callable[[], AbstractAsyncContextManager[Desk]]
"""Opens the installation named by the environment; the app provides it."""

_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")
_CAMPAIGN = click.option("--campaign", help="Id of the campaign; the current one without.")


def group(open_desk: OpenDesk) -> click.Group:
    """Return the commands `stock ...`, working on the installation that `open_desk` opens."""

    @click.group("stock", short_help="See what is left; say that units are not there.")
    def stock() -> None:
        """Units of each SKU, and shortfalls."""

    stock.add_command(_show(open_desk))
    stock.add_command(_short(open_desk))
    return stock


def _show(open_desk: OpenDesk) -> click.Command:
    @click.command("show", short_help="See the units of each SKU.")
    @click.argument("sku", default="")
    @_CAMPAIGN
    @_JSON
    def command(sku: str, campaign: str | None, *, as_json: bool) -> None:
        """See the units of the SKUs that begin with SKU, of all without: those that are short first."""

        async def work(desk: Desk) -> LevelPage:
            async with desk.db.read() as tx:
                return await desk.stock.page(tx, campaign or desk.pricing.rules.campaign_id, sku, _ROWS, 0)

        page = _run(open_desk, work)
        click.echo(msgspec.json.encode(page).decode()) if as_json else print_levels(page, Console())

    return command


def _short(open_desk: OpenDesk) -> click.Command:
    @click.command("short", short_help="Say that fewer units of a SKU are there.")
    @click.argument("sku")
    @click.option("--there", type=click.IntRange(0), help="Units that exist in all, those sent already among them.")
    @click.option("--missing", type=click.IntRange(1), help="Instead: how many fewer than so far.")
    @click.option("--remedy", type=click.Choice([str(each) for each in Remedy]), required=True, help="For paid orders.")
    @click.option("--deliver-by", type=click.DateTime(["%Y-%m-%d"]), help="Day of the later delivery.")
    @click.option("--reason", required=True, help="Why; shoppers read it.")
    @click.option("--by", required=True, help="Name of the member of staff who does it; their role may adjust stock.")
    @click.option("--key", help="The same key is the same act; without one the same words on the same SKU are.")
    @click.option("--dry-run", is_flag=True, help="Say what it would do now, and change nothing.")
    @_CAMPAIGN
    @_JSON
    def command(
        sku: str,
        there: int | None,
        missing: int | None,
        remedy: str,
        deliver_by: datetime | None,
        reason: str,
        by: str,
        key: str | None,
        campaign: str | None,
        *,
        dry_run: bool,
        as_json: bool,
    ) -> None:
        """Say that fewer units of SKU are there than the books have; who goes without is settled at once.

        Free units go first, then unpaid orders, the newest first, then paid orders, the latest paid first: these are
        refunded, or get a later delivery that each buyer may decline. Sent again it counts once.
        """
        stated = StateShortfall(
            sku=sku,
            there=there,
            missing=missing,
            remedy=Remedy(remedy),
            deliver_by=deliver_by.date() if deliver_by else None,
            reason=reason,
        )

        async def work(desk: Desk) -> Forecast | Told:
            campaign_id = campaign or desk.pricing.rules.campaign_id
            async with desk.db.read() as tx:
                await desk.identity.require_named_staff(tx, by, Permission.STOCK_ADJUST)
                if dry_run:
                    return await desk.shortfalls.forecast(tx, campaign_id, stated)
            return await desk.shortfalls.state(key or key_of(campaign_id, stated), campaign_id, stated, by)

        found = _run(open_desk, work)
        click.echo(msgspec.json.encode(found).decode() if as_json else "\n".join(told(found)))

    return command


def key_of(campaign_id: str, stated: StateShortfall) -> str:
    """Return a key made of the statement alone: a command that is repeated after a lost connection counts once."""
    return "words-" + blake2b(msgspec.json.encode((campaign_id, stated)), digest_size=16).hexdigest()


def told(found: Forecast | Told) -> list[str]:
    """Return what a person reads, a sentence a line."""
    if isinstance(found, Forecast):
        return [
            f"It would leave {found.there:,} units: {found.missing:,} fewer. Nothing was changed.",
            f"  {found.free_units:,} are free.",
            f"  {found.unpaid_units:,} are held by {found.unpaid_orders:,} unpaid orders, which would be given up.",
            f"  {found.paid_units:,} belong to {found.paid_orders:,} paid orders, the latest.",
            *([f"  {found.unmet_units:,} are left for you to decide: reservations."] if found.unmet_units else ()),
        ]
    act = found.act
    return [
        f"{act.missing:,} units of {act.sku} are missing, {act.there:,} are there. Act {act.act_id}.",
        f"  {found.released_orders:,} unpaid orders given up ({found.released_units:,} units).",
        f"  {found.refunded_orders:,} paid orders refunded ({found.refunded_units:,} units).",
        f"  {found.later_orders:,} paid orders delivered later ({found.later_units:,} units).",
    ]


def print_levels(page: LevelPage, console: Console) -> None:
    """Print one line a SKU."""
    table = Table(title=f"{page.count:,} SKUs", title_justify="left")
    table.add_column("SKU")
    headings = ("Loaded", "Free", "Held", "Sold", "Missing", "Short", "Later")
    for heading in headings:
        table.add_column(heading, justify="right")
    for each in page.rows:
        figures = (each.loaded, each.free, each.held, each.sold, each.missing, each.short, each.later)
        table.add_row(each.sku, *(f"{figure:,}" for figure in figures))
    console.print(table)


def _run(open_desk: OpenDesk, work: Callable[[Desk], Awaitable[T]]) -> T:
    """Open the installation, do the work, and turn a refusal into a message and exit code 1."""

    async def opened() -> T:
        async with open_desk() as desk:
            return await work(desk)

    try:
        return asyncio.run(opened())
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.title}. {refusal.detail}") from refusal
