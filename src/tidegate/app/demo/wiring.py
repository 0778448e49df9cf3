"""Rehearsal and debrief on a composed App, and the commands that stand on them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import click

from tidegate.app.compose import App
from tidegate.app.publication import PublicationDesk
from tidegate.watch.debrief import commands as debrief_commands
from tidegate.watch.debrief.api import Debriefing
from tidegate.watch.rehearsal import commands as rehearsal_commands
from tidegate.watch.rehearsal.api import Rehearsal, last_flood

Installation = Callable[[], AbstractAsyncContextManager[App]]


def rehearsal_of(app: App) -> Rehearsal:
    """Return the rehearsal of an installation."""
    return Rehearsal(
        db=app.db,
        clock=app.clock,
        data_dir=app.config.data_dir,
        identity=app.identity,
        campaign=app.campaign,
        ordering=app.ordering,
        payment=app.payment,
        publish=PublicationDesk(app).publish,
    )


def debriefing_of(app: App) -> Debriefing:
    """Return the debriefing of an installation."""
    return Debriefing(app.clock, app.campaign, app.ordering, app.payment, app.stock)


def commands(installation: Installation) -> list[click.Command]:
    """Return `rehearse` and `debrief`, working on the installation that the environment names."""

    @asynccontextmanager
    async def rehearsing() -> AsyncIterator[tuple[Rehearsal, str]]:
        async with installation() as app:
            yield rehearsal_of(app), f"http://{app.config.authority}"

    @asynccontextmanager
    async def debriefing() -> AsyncIterator[debrief_commands.Desk]:
        async with installation() as app:
            yield debrief_commands.Desk(
                db=app.db,
                debriefing=debriefing_of(app),
                monitor=app.monitor,
                flood=last_flood(app.config.data_dir),
            )

    return [rehearsal_commands.group(rehearsing), debrief_commands.command(debriefing)]
