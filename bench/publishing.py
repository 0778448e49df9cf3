"""Campaigns that a measurement publishes, one after another."""

import asyncio

from tidegate.app.compose import App
from tidegate.app.publication import PublicationDesk
from tidegate.offer.campaign.api import Severity, Waiver
from tidegate.offer.campaign.contracts import CampaignDefinition


async def publish(app: App, offered: CampaignDefinition) -> None:
    """Publish it, and wait for what the worker writes about its prices.

    A campaign is published days before its doors open: nothing of that is left to do when it is measured.
    """
    await put(app, offered)
    await caught_up(app)


async def put(app: App, offered: CampaignDefinition) -> None:
    """Publish it, with every warning let pass in the name of this measurement."""
    desk = PublicationDesk(app)
    laws = {each.law for each in (await desk.review(offered)).findings if each.severity is Severity.WARNING}
    waivers = [Waiver(law=law, by="bench", reason="a measurement, nothing is sold") for law in sorted(laws)]
    await desk.publish(offered, "bench", waivers)
    await app.refresh()


async def caught_up(app: App) -> None:
    """Wait until the worker has handled every event."""
    while not await app.outbox.drained(app.db):  # noqa: ASYNC110  what is waited for happens in another process
        await asyncio.sleep(0.5)
