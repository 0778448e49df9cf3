"""The command line: `tidegate --help` explains itself."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import click

from tidegate.app import up
from tidegate.app.compose import App, opened
from tidegate.app.demo import wiring
from tidegate.app.demo.commands import command as demo
from tidegate.app.publication import PublicationDesk
from tidegate.app.sandbox_channel.commands import command as sandbox_channel
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.embedded.process import ServerFault
from tidegate.base.embedded.servers import running_servers
from tidegate.base.errors import Refusal
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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tidegate")
@click.pass_context
def main(context: click.Context) -> None:
    """Run a shopping festival, safely and at full speed.

    Begin with `tidegate up`: it starts everything on this machine with an example festival.
    """
    logging.basicConfig(level=logging.WARNING)
    context.obj = installation


@main.command("web", short_help="Serve shop, console and API (one process of `up`).")
def web() -> None:
    """Serve shop, console and API on TIDEGATE_HOST and TIDEGATE_PORT."""
    from tidegate.app.web import serve  # noqa: PLC0415  the server is loaded only by the process that serves

    serve(Config.from_env())


@main.command("worker", short_help="Carry events, expire orders, do jobs (one process of `up`).")
def worker() -> None:
    """Carry events to their subscribers, expire unpaid orders, do jobs and repeated checks."""
    from tidegate.app.worker import run  # noqa: PLC0415  the same for the worker

    run()


@main.command("migrate", short_help="Bring the database's schema up to date.")
def migrate_command() -> None:
    """Apply the migrations that the database still lacks; safe while a festival runs."""

    async def work() -> None:
        async with installation():
            click.echo("The schema is up to date.")

    asyncio.run(work())


main.add_command(up.command)
main.add_command(sandbox_channel)
_campaign = campaign_commands.group(_publication_desk)
_campaign.add_command(rehearsal_commands.cost(campaign_commands.load))
main.add_command(_campaign)
main.add_command(queue_commands.admission_commands(_draw_desk))
main.add_command(staff_commands.group)
main.add_command(staff_commands.members_group)
main.add_command(catalogue_commands.group(installation))
main.add_command(coupon_commands.group(installation))
main.add_command(points_commands.group(installation))
main.add_command(history_commands.group(_price_history))
main.add_command(law_commands.group)
main.add_command(payment_commands.group)
main.add_command(monitor_commands.command(_monitor))
for _command in wiring.commands(installation):
    main.add_command(_command)
main.add_command(demo)


def run() -> None:
    """Entry point: refusals and faults of servers become one clear message and exit code 1."""
    try:
        with suppress(KeyboardInterrupt):
            main()
    except (Refusal, ServerFault, ValueError) as fault:
        click.echo(f"tidegate: {fault}", err=True)
        sys.exit(1)
