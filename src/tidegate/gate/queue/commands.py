"""`tidegate admission verify`: recompute a whole draw from what is kept, or from what a shop publishes."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import click
from rich.console import Console
from rich.progress import Progress

from tidegate.gate.queue.adapters.published import CannotCheck, PublishedDraws
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
    @click.option(
        "--url", help="Check the shop at this address, such as https://shop.example.com, by what it publishes."
    )
    def verify(campaign_id: str | None, url: str | None) -> None:
        """Recompute seed, root, every rank and the order of admission; end with 1 where something does not agree.

        Without --url the installation's own records are checked, which tell who entered, too. With it nothing is needed
        but the shop's public address; end with 2 where the shop does not give what a check needs.
        """
        found = asyncio.run(_of_records(open_desk, campaign_id) if url is None else _of_shop(url, campaign_id))
        console = Console()
        for finding in found.findings:
            mark = "[green]holds[/]" if finding.holds else "[red]BROKEN[/]"
            console.print(f"{mark}  {finding.name} ({finding.examined:,} examined) {finding.detail}", highlight=False)
        if not found.holds:
            console.print(f"[red]The draw of {found.campaign_id} does not hold.[/]", highlight=False)
            raise SystemExit(1)
        console.print(f"Everything that was examined of the draw of {found.campaign_id} agrees.", highlight=False)

    return group


async def _of_records(open_desk: OpenDesk, campaign_id: str | None) -> Verification:
    async with open_desk() as desk:
        return await desk.verify(campaign_id)


async def _of_shop(url: str, campaign_id: str | None) -> Verification:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        fetching = progress.add_task("Fetching the sealed list", total=None)

        def told(done: int, whole: int) -> None:
            progress.update(fetching, completed=done, total=whole)

        try:
            return await PublishedDraws(url, told).verify(campaign_id)
        except CannotCheck as fault:
            raise _NotChecked(f"{fault} Nothing was checked.") from fault


class _NotChecked(click.ClickException):
    exit_code = 2
