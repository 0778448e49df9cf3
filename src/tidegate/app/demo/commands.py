"""`tidegate demo`: a whole festival, from an empty machine to its debrief."""

import asyncio
import os

import click
from rich.console import Console

from tidegate.app.demo.story import FULL, QUICK, Ending, Scene, settings, tell
from tidegate.app.supervisor import NotReady, ending_signals


@click.command("demo", short_help="Run a whole festival in about four minutes and show the result.")
@click.option("--quick", is_flag=True, help="A small one, in about a minute.")
def command(*, quick: bool) -> None:
    """Run a whole festival on this machine: flood, outage of a payment channel, debrief.

    Starts everything in a data folder of its own, publishes the example festival, lets thousands of simulated shoppers
    in over real HTTP with a spike at the opening, fails one payment channel half-way and brings it back, and ends with
    a table and an HTML debrief. Exits 0 only if every invariant holds. Needs no terminal and no browser.
    """
    scene = QUICK if quick else FULL
    try:
        ending = asyncio.run(_told(scene))
    except asyncio.CancelledError:
        raise click.ClickException("Stopped before the end; everything that was started is stopped too.") from None
    except NotReady as fault:
        raise click.ClickException(str(fault)) from fault
    raise SystemExit(0 if ending.holds else 1)


async def _told(scene: Scene) -> Ending:
    """Tell the story; a SIGTERM, or a terminal that is closed, ends it in order, so that no server is left behind."""
    story = asyncio.create_task(tell(settings(os.environ, scene), scene, Console()))
    for name in ending_signals():
        asyncio.get_running_loop().add_signal_handler(name, story.cancel)
    try:
        return await story
    except asyncio.CancelledError:
        story.cancel()
        await asyncio.gather(story, return_exceptions=True)
        raise
