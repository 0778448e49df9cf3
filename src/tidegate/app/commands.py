"""The commands that people call, each with the part of an installation that it needs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import click

from tidegate.app import up
from tidegate.app.compose import App, opened
from tidegate.app.demo import wiring
from tidegate.app.demo.commands import command as demo
from tidegate.app.publication import PublicationDesk
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.embedded.servers import running_servers
from tidegate.gate.edge import commands as edge_commands
from tidegate.gate.queue import commands as queue_commands
from tidegate.gate.queue.contracts import Verification
from tidegate.offer.campaign import commands as campaign_commands
from tidegate.offer.catalogue import commands as catalogue_commands
from tidegate.offer.coupons import commands as coupon_commands
from tidegate.offer.history import commands as history_commands
from tidegate.offer.history.api import PriceHistory
from tidegate.offer.law import commands as law_commands
from tidegate.sale.payment import commands as payment_commands
from tidegate.sale.points import commands as points_commands
from tidegate.sale.repricing import commands as repricing_commands
from tidegate.sale.shortfall import commands as stock_commands
from tidegate.trust.identity import commands as staff_commands
from tidegate.watch.monitor import commands as monitor_commands
from tidegate.watch.monitor.api import Monitor
from tidegate.watch.rehearsal import commands as rehearsal_commands


@asynccontextmanager
async def installation() -> AsyncIterator[App]:
    """Give the installation that the environment names: its servers run and its schema is up to date.

    A running festival is used as it is; otherwise the embedded servers are started for as long as this lasts.
    """
    with running_servers(Config.from_env()) as config:
        async with opened(config) as app:
            yield app


@asynccontextmanager
async def _publication_desk() -> AsyncIterator[PublicationDesk]:
    async with installation() as app:
        yield PublicationDesk(app)


class _DrawDesk:
    def __init__(self, app: App) -> None:
        self._app = app

    async def verify(self, campaign_id: str | None) -> Verification:
        """Recompute a campaign's draw; without an id the current one's."""
        async with self._app.db.snapshot() as tx:
            return await self._app.queue.verify(tx, campaign_id or self._app.pricing.rules.campaign_id)


@asynccontextmanager
async def _draw_desk() -> AsyncIterator[_DrawDesk]:
    async with installation() as app:
        yield _DrawDesk(app)


@asynccontextmanager
async def _monitor() -> AsyncIterator[tuple[Database, Monitor]]:
    async with installation() as app:
        yield app.db, app.monitor


@asynccontextmanager
async def _price_history() -> AsyncIterator[tuple[Database, PriceHistory]]:
    async with installation() as app:
        yield app.db, app.history


@click.command("migrate", short_help="Bring the database's schema up to date.")
def migrate_command() -> None:
    """Apply the migrations that the database still lacks; safe while a festival runs."""

    async def work() -> None:
        async with installation():
            click.echo("The schema is up to date.")

    asyncio.run(work())


def commands() -> Iterator[click.Command]:
    """Give every command that is no process of a festival."""
    yield from (up.command, demo, migrate_command)
    campaign = campaign_commands.group(_publication_desk, rehearsal_commands.costed)
    campaign.add_command(rehearsal_commands.cost(campaign_commands.load))
    yield campaign
    yield queue_commands.admission_commands(_draw_desk)
    yield from (staff_commands.group, staff_commands.members_group, law_commands.group, payment_commands.group)
    for group in (
        catalogue_commands.group,
        coupon_commands.group,
        edge_commands.group,
        points_commands.group,
        repricing_commands.group,
    ):
        yield group(installation)
    yield stock_commands.group(installation)
    yield history_commands.group(_price_history)
    yield monitor_commands.command(_monitor)
    yield from wiring.commands(installation)
