"""`tidegate up`: the whole system on one machine, kept running, on the example festival until another is published."""

import asyncio
import logging
import signal
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from tidegate.app.compose import App, opened
from tidegate.app.publication import PublicationDesk
from tidegate.app.supervisor import NotReady, Supervisor, ending_signals, festival, web_client
from tidegate.base.config import Config
from tidegate.base.crypto import derive_key
from tidegate.offer.campaign.commands import load_definition
from tidegate.offer.campaign.contracts import PhaseName
from tidegate.trust.identity.contracts import Role
from tidegate.trust.identity.errors import StaffNameTaken

EXAMPLE = Path("examples/double-eleven/festival.toml")
STAFF_NAME = "manager"
SUPPORT_NAME = "support"
PUBLISHER = "tidegate up"
_SHOWN_TRIES = 100


@click.command("up", short_help="Run everything on this machine, on the example festival.")
@click.option(
    "--campaign", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Publish this file instead."
)
def command(campaign: Path | None) -> None:
    """Start servers, payment channels, worker and web; print the addresses; stop cleanly at Ctrl-C.

    Starting again continues with the same data. Nothing leaves this machine.
    """
    logging.getLogger("tidegate").setLevel(logging.INFO)
    try:
        asyncio.run(_up(Config.from_env(), campaign))
    except NotReady as fault:
        raise click.ClickException(str(fault)) from fault


async def _up(config: Config, campaign: Path | None) -> None:
    console = Console()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, *ending_signals()):
        loop.add_signal_handler(name, stopped.set)
    with console.status("Starting PostgreSQL, Valkey, payment channels, worker and web ..."):
        starting = festival(config)
        supervisor = await starting.__aenter__()
    try:
        password = await prepare(supervisor, campaign)
        _print_addresses(console, supervisor, password)
        await stopped.wait()
        console.print("Stopping ...")
    finally:
        await starting.__aexit__(None, None, None)
    console.print("Stopped. Everything is kept; `tidegate up` continues with it.")


async def prepare(supervisor: Supervisor, campaign: Path | None = None) -> str:
    """Publish the festival where none is published (or `campaign` is given); return a staff login's password.

    Returns when the web process shows what was published, so that whoever comes next finds a campaign on.
    """
    async with opened(supervisor.config) as app:
        if campaign is not None or _wants_example(app):
            definition = load_definition(
                campaign or example_file(), now=datetime.now(UTC), start=None if campaign else "now"
            )
            version = await PublicationDesk(app).publish(definition, PUBLISHER)
            await _shown(supervisor.config, version.sha256)
        return await ensure_staff(app)


async def _shown(config: Config, sha256: str) -> None:
    """Wait until the web process has picked the version up. Raises NotReady after ten seconds."""
    async with web_client(config) as client:
        for _ in range(_SHOWN_TRIES):
            if (await client.get("/api/v1/campaign")).json().get("sha256") == sha256:
                return
            await asyncio.sleep(0.1)
    raise NotReady("the web process does not show the campaign that was published; see its log")


def example_file() -> Path:
    """Return the example festival of this checkout. Raises ClickException where it is not at hand."""
    found = Path(__file__).parents[3] / EXAMPLE
    if not found.is_file():
        raise click.ClickException(f"The example festival {EXAMPLE} is not here; give your own with --campaign FILE.")
    return found


async def ensure_staff(app: App) -> str:
    """Return the password of the example's two staff logins, made on first use; the same on every start.

    The manager sees everything of the sale but no personal data; service staff may show it, for a stated purpose.
    """
    password = derive_key(app.config.secret, "example.staff").hex()[:16]
    for name, role in ((STAFF_NAME, Role.CAMPAIGN_MANAGER), (SUPPORT_NAME, Role.SUPPORT)):
        with suppress(StaffNameTaken):
            async with app.db.transaction() as tx:
                await app.identity.add_staff(tx, name, role, password)
    return password


def _wants_example(app: App) -> bool:
    """Whether the example is to be published from now on: nothing is, or it is the example and its sale is over."""
    current = app.campaign.current()
    if current is None:
        return True
    phase = app.campaign.phase(app.clock.now())
    return current.published_by == PUBLISHER and (phase is None or phase.name is not PhaseName.BURST)


def _print_addresses(console: Console, supervisor: Supervisor, password: str) -> None:
    url = supervisor.config.public_url
    shop, staff = (url, f"link {url}"), (f"{url}/console", f"link {url}/console")
    console.print(Text.assemble("\n  Shop     ", shop, "\n  Console  ", staff))
    names = f"[bold]{STAFF_NAME}[/] or [bold]{SUPPORT_NAME}[/]"
    console.print(f"           sign in as {names} with [bold]{password}[/]", highlight=False)
    logs = supervisor.config.data_dir / "log"
    console.print(f"  API      {url}/openapi.json\n  Logs     {logs}", highlight=False, markup=False)
    console.print("\n  Ctrl-C stops everything.\n", highlight=False)
