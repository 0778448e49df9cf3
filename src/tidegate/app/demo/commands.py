"""`tidegate demo`: a whole festival, from an empty machine to its debrief."""

import asyncio
import os

import click
from rich.console import Console

from tidegate.app.demo.story import FULL, QUICK, settings, tell
from tidegate.app.supervisor import NotReady


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
        ending = asyncio.run(tell(settings(os.environ, scene), scene, Console()))
    except NotReady as fault:
        raise click.ClickException(str(fault)) from fault
    raise SystemExit(0 if ending.holds else 1)
