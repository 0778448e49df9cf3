"""The demo from beginning to end: everything real - servers, HTTP, payment channels with their own books."""

import asyncio
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec
from rich.console import Console

from tidegate.app.compose import App, opened
from tidegate.app.demo.outage import ChannelAdmin, outage
from tidegate.app.demo.room import Line, with_line
from tidegate.app.demo.wiring import debriefing_of, rehearsal_of
from tidegate.app.publication import PublicationDesk
from tidegate.app.supervisor import Supervisor, festival, vacated
from tidegate.app.up import STAFF_NAME, ensure_staff, example_file
from tidegate.base.config import Config
from tidegate.base.invariant import Check
from tidegate.gate.queue.contracts import Verification
from tidegate.offer.campaign.commands import load_definition
from tidegate.offer.campaign.contracts import CampaignVersion, PhaseName
from tidegate.sale.ordering.contracts import OrderFilter, OrderState
from tidegate.watch.debrief.api import page, show
from tidegate.watch.debrief.contracts import Debrief
from tidegate.watch.rehearsal.api import ShownProgress
from tidegate.watch.rehearsal.contracts import BotFarm, FloodPlan, FloodReport

_PORTS: Final = range(8470, 8570, 10)
_TAKE_UP_SECONDS: Final = 2.5
_QUIET_ROUNDS: Final = 3


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """How large the demo is. Times in seconds; the outage begins half-way through the flood. The accounts of the bot
    farm come on top of the shoppers.
    """

    shoppers: int
    flood_seconds: float
    opening_seconds: float
    outage_seconds: float
    hold_seconds: int
    drain_seconds: float
    pause_seconds: tuple[float, float]
    line: Line
    farm: BotFarm


FULL = Scene(
    shoppers=3_000,
    flood_seconds=125,
    opening_seconds=24,
    outage_seconds=20,
    hold_seconds=30,
    drain_seconds=75,
    pause_seconds=(15.0, 45.0),
    line=Line(cap=2_400, per_minute=6_000, ramp_seconds=15),
    farm=BotFarm(accounts=600, persons=120, networks=20),
)
QUICK = Scene(
    shoppers=120,
    flood_seconds=30,
    opening_seconds=10,
    outage_seconds=5,
    hold_seconds=8,
    drain_seconds=45,
    pause_seconds=(0.5, 2.0),
    line=Line(cap=100, per_minute=1_200, ramp_seconds=2, pass_seconds=30),
    farm=BotFarm(accounts=24, persons=12, networks=2),
)


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How the demo ended: the debrief, and where its pages are."""

    debrief: Debrief
    pages: tuple[Path, ...]

    @property
    def holds(self) -> bool:
        """Whether every invariant held."""
        return self.debrief.holds


def settings(environ: Mapping[str, str], scene: Scene) -> Config:
    """Return the demo's settings: a data folder of its own, begun anew, and ports that are free.

    Raises NotReady where a demo runs on that folder.
    """
    own = dict(environ)
    folder = Path(environ.get("TIDEGATE_DATA_DIR", ".tidegate")).absolute() / "demo"
    own["TIDEGATE_DATA_DIR"] = str(folder)
    own["TIDEGATE_HOLD_SECONDS"] = str(scene.hold_seconds)
    # The simulated shoppers come from one process. It stands where a balancer would, and says for whom it asks.
    own["TIDEGATE_TRUSTED_PROXIES"] = "127.0.0.1"
    with vacated(folder):
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    own.setdefault("TIDEGATE_PORT", str(_free_port()))
    return Config.from_env(own)


def _free_port() -> int:
    """Return the first port of ours that is free together with those that the sandbox channels take beside it."""
    return next((port for port in _PORTS if all(_is_free(port + offset) for offset in (0, 1, 2, 101, 102))), _PORTS[0])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def tell(config: Config, scene: Scene, console: Console) -> Ending:
    """Run the whole demo and return its ending. Everything that was started is stopped again, whatever happens."""
    with console.status("Starting PostgreSQL, Valkey, two payment channels, worker and web ..."):
        if not console.is_terminal:
            _say(console, "Starting PostgreSQL, Valkey, two payment channels, worker and web ...")
        starting = festival(config)
        supervisor = await starting.__aenter__()
    try:
        async with opened(supervisor.config) as app:
            return await _Demo(app, supervisor, scene, console).run()
    finally:
        _say(console, "Stopping everything ...")
        await starting.__aexit__(None, None, None)


def _anything_sold(report: FloodReport) -> Check:
    """A shop that takes no orders breaks no books either: that must not pass for success."""
    placed, paid = report.outcomes.get("placed", 0), report.outcomes.get("paid", 0)
    return Check(
        name="demo: shoppers could order and pay",
        holds=placed > 0 and paid > 0,
        examined=report.requests,
        detail="" if placed and paid else f"{placed} orders, {paid} paid",
    )


def _drawn(draw: Verification) -> list[Check]:
    return [
        Check(name=f"draw: {each.name}", holds=each.holds, examined=each.examined, detail=each.detail)
        for each in draw.findings
    ]


def _say(console: Console, words: str) -> None:
    console.print(f"{datetime.now(UTC):%H:%M:%S}  {words}", highlight=False)


class _Demo:
    def __init__(self, app: App, supervisor: Supervisor, scene: Scene, console: Console) -> None:
        self._app = app
        self._config = supervisor.config
        self._scene = scene
        self._console = console
        self._rehearsal = rehearsal_of(app)
        self._channels = [ChannelAdmin(channel) for channel in supervisor.config.channels]
        self._began_at = app.clock.now()

    async def run(self) -> Ending:
        """The flood, the quiet after it, and the reckoning."""
        self._print_addresses(await ensure_staff(self._app))
        with ShownProgress(self._console) as progress:
            version = await self._publish()
            plan, report = await self._flood(version, progress)
            progress.stage("letting everything come to rest", round(self._scene.drain_seconds))
            await self._drain(progress)
        _say(self._console, "Checking every invariant against the databases and the channels' own books ...")
        report = await self._rehearsal.reckon(plan, report)
        draw = await self._draw(version)
        checks = [*await self._checks(report), *_drawn(draw)]
        made = await self._debrief(version, report, checks, draw)
        pages = self._write_pages(made)
        self._print_ending(made, pages)
        return Ending(debrief=made, pages=pages)

    def _print_addresses(self, password: str) -> None:
        url = self._config.public_url
        self._console.print(f"\n  Shop     {url}\n  Console  {url}/console", highlight=False, markup=False)
        self._console.print(f"           sign in as {STAFF_NAME} with {password}\n", highlight=False)

    async def _publish(self) -> CampaignVersion:
        start = f"now+{self._scene.opening_seconds + _TAKE_UP_SECONDS:.0f}s"
        now = datetime.now(UTC)
        definition = with_line(load_definition(example_file(), now=now, start=start), self._scene.line, now)
        version = await PublicationDesk(self._app).publish(definition, "tidegate demo")
        async with self._app.db.read() as tx:
            await self._app.campaign.refresh(tx)
            await self._app.catalogue.update_index(tx)
        _say(
            self._console,
            f"Published {definition.title.en}: {len(definition.offers):,} offers. The line is open, the sale opens at"
            f" {definition.phase(PhaseName.BURST).starts_at:%H:%M:%S} UTC.",
        )
        await asyncio.sleep(_TAKE_UP_SECONDS)
        return version

    async def _flood(self, version: CampaignVersion, progress: ShownProgress) -> tuple[FloodPlan, FloodReport]:
        scene = self._scene
        plan = await self._rehearsal.prepare_flood(
            f"http://{self._config.authority}",
            scene.shoppers,
            scene.flood_seconds,
            progress,
            opens_at=version.definition.phase(PhaseName.BURST).starts_at,
            farm=scene.farm,
        )
        plan = msgspec.structs.replace(plan, pause_seconds=scene.pause_seconds)
        _say(
            self._console,
            f"{scene.shoppers:,} shoppers are on their way, three of four in time for the draw. One operator's bot farm"
            f" of {scene.farm.accounts:,} accounts is among them.",
        )
        breaking = asyncio.create_task(
            outage(
                self._channels[0],
                scene.flood_seconds / 2,
                scene.outage_seconds,
                lambda words: _say(self._console, words),
            )
        )
        try:
            return plan, await self._rehearsal.flood(plan, progress.flood(plan.seconds))
        finally:
            breaking.cancel()
            with suppress(asyncio.CancelledError):
                await breaking

    async def _drain(self, progress: ShownProgress) -> None:
        """Wait until no order waits for payment or refund and every event was delivered, or time is up."""
        began, quiet = monotonic(), 0
        while quiet < _QUIET_ROUNDS and (passed := monotonic() - began) < self._scene.drain_seconds:
            waiting = await self._waiting()
            quiet = quiet + 1 if waiting == 0 and await self._app.outbox.drained(self._app.db) else 0
            progress.done(round(passed), f"{waiting:,} orders wait for payment or refund")
            await asyncio.sleep(0.5)

    async def _waiting(self) -> int:
        async with self._app.db.transaction() as tx:
            states = (OrderState.PLACED, OrderState.REFUNDING)
            pages = [await self._app.ordering.find(tx, OrderFilter(state=state, limit=1)) for state in states]
        return sum(page.count for page in pages)

    async def _checks(self, report: FloodReport) -> list[Check]:
        async with self._app.db.snapshot() as tx:
            examination = await self._app.monitor.doctor(tx)
        journal = await self._rehearsal.check_journal(Path(report.journal))
        books = [check for channel in self._channels for check in await self._books(channel)]
        return [*examination.checks, *journal, *books, *self._rehearsal.check_groups(report), _anything_sold(report)]

    async def _draw(self, version: CampaignVersion) -> Verification:
        """Recompute the whole draw, as `tidegate admission verify` does."""
        async with self._app.db.snapshot() as tx:
            return await self._app.queue.verify(tx, version.campaign_id)

    async def _books(self, channel: ChannelAdmin) -> list[Check]:
        """Hold our ledger against a channel's own books."""
        until = self._app.clock.now() + timedelta(seconds=1)
        found = await self._app.payment.reconcile(channel.name, self._began_at, until)
        totals = await channel.totals()
        faults = {
            "missing there": found.missing_there_count,
            "missing here": found.missing_here_count,
            "amounts differ": found.amount_differs_count,
            "duplicated": found.duplicated_count,
        }
        return [
            Check(
                name=f"{channel.name}: the channel's own books agree with our ledger, line by line",
                holds=found.clean,
                examined=found.matched,
                detail=", ".join(f"{name} {count}" for name, count in faults.items() if count),
            ),
            Check(
                name=f"{channel.name}: nobody was charged twice",
                holds=totals.charged_twice == 0,
                examined=totals.charges,
                detail=f"{totals.charged_twice} orders" if totals.charged_twice else "",
            ),
        ]

    async def _debrief(
        self, version: CampaignVersion, report: FloodReport, checks: list[Check], draw: Verification
    ) -> Debrief:
        async with self._app.db.snapshot() as tx:
            return await debriefing_of(self._app).debrief(tx, version, flood=report, checks=checks, draw=draw)

    def _write_pages(self, made: Debrief) -> tuple[Path, ...]:
        english = self._config.data_dir / "debrief.html"
        chinese = self._config.data_dir / "debrief.zh.html"
        english.write_text(page(made, "en", other=chinese.name), encoding="utf-8")
        chinese.write_text(page(made, "zh", other=english.name), encoding="utf-8")
        return english, chinese

    def _print_ending(self, made: Debrief, pages: tuple[Path, ...]) -> None:
        self._console.print()
        show(made, self._console)
        self._console.print(f"\nDebrief with charts: {pages[0]}\n复盘报告：{pages[1]}", highlight=False, soft_wrap=True)
        verdict = "Every invariant holds." if made.holds else "Invariants are broken: see the table above."
        self._console.print(verdict, style="green" if made.holds else "bold red")
