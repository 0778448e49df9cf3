"""`tidegate admission verify`: recompute a whole draw from what is published and what is kept."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import click
from rich.console import Console

from tidegate.gate.queue.contracts import Verification


class DrawDesk(Protocol):
    """Who can verify a draw."""

    async def verify(self, campaign_id: str | None) -> Verification:
        """Recompute a campaign's draw; without an id the current one's."""
        ...


OpenDesk = Callable[[], AbstractAsyncContextManager[DrawDesk]]


def admission_commands(open_desk: OpenDesk) -> click.Group:
    """Return the commands on a desk that is opened when one of them runs."""

    @click.group("admission", short_help="Check the waiting room's draw.")
    def group() -> None:
        """Check the waiting room's draw."""

    @group.command("verify", short_help="Recompute seed, root, every rank and the order of admission.")
    @click.argument("campaign_id", required=False)
    def verify(campaign_id: str | None) -> None:
        """Recompute seed, root, every rank and the order of admission; end with 1 where something does not agree."""

        async def run() -> Verification:
            async with open_desk() as desk:
                return await desk.verify(campaign_id)

        found = asyncio.run(run())
        console = Console()
        for finding in found.findings:
            mark = "[green]holds[/]" if finding.holds else "[red]BROKEN[/]"
            console.print(f"{mark}  {finding.name} ({finding.examined:,} examined) {finding.detail}", highlight=False)
        if not found.holds:
            raise SystemExit(1)

    return group
