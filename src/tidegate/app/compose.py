"""All the wiring on one screen: the modules bottom-up, one line each. Tests call it with other arguments."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf

from tidegate.app.acquaintance import GiftShelf, KnownShoppers
from tidegate.app.books import MoneyPath, PaymentOutcomes
from tidegate.app.deals import Deals
from tidegate.app.loyalty import Loyalty
from tidegate.app.waiting import Outlook
from tidegate.base.cache import Cache
from tidegate.base.clock import Clock, SystemClock
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.embedded.servers import located
from tidegate.base.ids import Ids
from tidegate.base.jobs import Jobs
from tidegate.base.load import LoadControl
from tidegate.base.migration import migrate
from tidegate.base.outbox import Outbox
from tidegate.gate.admission.api import Admission
from tidegate.gate.bots.api import Bots
from tidegate.gate.defence.api import Defences, build_defences
from tidegate.gate.limits.api import Limits, build_limits
from tidegate.gate.queue.api import Queue
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.coupons.api import Coupons
from tidegate.offer.history.api import PriceHistory
from tidegate.offer.law.api import CampaignLaw, build_law
from tidegate.offer.pricing.api import Pricing
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.lane import HotLane
from tidegate.sale.ordering.station import AllowAll, RiskStation
from tidegate.sale.payment.api import Payment
from tidegate.sale.points.api import Points
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.board import StockBoard
from tidegate.trust.identity.api import Identity, build_identity
from tidegate.watch.monitor import jobs as monitor_jobs
from tidegate.watch.monitor.api import Monitor
from tidegate.watch.monitor.ports import Checked


@dataclass(frozen=True, kw_only=True)
class App:
    """The whole application, wired; every process of it is one of these with another door open."""

    config: Config
    clock: Clock
    ids: Ids
    db: Database
    cache: Cache
    outbox: Outbox
    jobs: Jobs
    identity: Identity
    campaign: Campaign
    catalogue: Catalogue
    coupons: Coupons
    pricing: Pricing
    history: PriceHistory
    law: CampaignLaw
    admission: Admission
    load: LoadControl
    outlook: Outlook
    queue: Queue
    defences: Defences
    limits: Limits
    bots: Bots
    points: Points
    stock: Stock
    board: StockBoard
    payment: Payment
    ordering: Ordering
    monitor: Monitor

    async def open(self) -> None:
        """Connect, and take the current campaign into memory."""
        await self.db.open()
        await self.refresh()

    async def close(self) -> None:
        """Disconnect."""
        await self.payment.close()
        await self.identity.close()
        await self.cache.close()
        await self.db.close()

    async def refresh(self) -> None:
        """Follow what changed: campaign, rules, goods, revoked sessions, channel health. Each process, each second."""
        async with self.db.read() as tx:
            await self.campaign.refresh(tx)
            await self.identity.refresh(tx)
            await self.catalogue.refresh(tx)
            await self.defences.refresh(tx)
            await self.bots.refresh(tx)
            await self.pricing.refresh_left(tx)
        self.pricing.refresh()
        await self.payment.refresh()
        await self.bots.follow()
        if self.bots.pending:
            async with self.db.transaction() as tx:
                await self.bots.flush(tx)


def compose(
    config: Config, *, clock: Clock | None = None, ids: Ids | None = None, risk: RiskStation | None = None
) -> App:
    """Build the modules, each from those below it. No work is done and nothing is connected here."""
    config = located(config)
    assert config.database_url is not None
    assert config.cache_url is not None
    clock = clock or SystemClock()
    ids = ids or Ids(clock)
    db = Database(config.database_url, replica_url=config.replica_url, connections_max=config.database_connections_max)
    cache, outbox, jobs = Cache(config.cache_url), Outbox(), Jobs(config.database_url)

    identity = build_identity(config, db=db, cache=cache, clock=clock, ids=ids)
    campaign = Campaign(clock, outbox)
    catalogue = Catalogue(clock, config.data_dir)
    coupons = Coupons(db, clock, ids, campaign)
    pricing = Pricing(campaign)
    history, law = build_law(clock, campaign, outbox)
    admission = Admission(config, clock)
    defences = build_defences(config, cache=cache, clock=clock, outbox=outbox, jobs=jobs, campaign=campaign)
    load = LoadControl(config.wait_target_ms / 1000 if config.wait_target_ms else inf)
    bots = Bots(config, cache, clock, ids)
    limits = build_limits(config, cache, campaign, defences.limit_factor, bots.rate_factor)
    stock, points = Stock(clock), Points(clock)
    payment = Payment(db, cache, clock, ids, outbox, config.channels, public_url=config.public_url)
    defences.follow(PaymentOutcomes(payment))
    risk = risk or AllowAll()
    lane = HotLane(db, clock, ids, outbox, identity, pricing, coupons, points, stock, payment, limits, risk, load)
    ordering = Ordering(
        db, clock, outbox, campaign, pricing, coupons, points, stock, payment, lane, hold_seconds=config.hold_seconds
    )
    _follow_orders(outbox, ordering, campaign, history, points)
    outlook, shoppers = Outlook(cache, stock, ordering), KnownShoppers(db, identity, ordering)
    _acquaint(shoppers, coupons, pricing, stock)
    queue = Queue(config, db, cache, clock, campaign, admission, outlook, shoppers, bots.cleared)
    lower: tuple[Checked, ...] = (identity, campaign, catalogue, coupons, pricing, history, law, queue, defences, bots)
    checked = {type(each).__name__.lower(): each for each in (*lower, points, stock, payment, ordering)}
    books = MoneyPath(campaign, stock, payment)
    monitor = Monitor(
        clock=clock, cache=cache, outbox=outbox, jobs=jobs, campaign=campaign, books=books, modules=checked
    )
    monitor_jobs.subscribe(outbox, monitor)
    return App(
        config=config,
        clock=clock,
        ids=ids,
        db=db,
        cache=cache,
        outbox=outbox,
        jobs=jobs,
        identity=identity,
        campaign=campaign,
        catalogue=catalogue,
        coupons=coupons,
        pricing=pricing,
        history=history,
        law=law,
        admission=admission,
        load=load,
        outlook=outlook,
        queue=queue,
        defences=defences,
        limits=limits,
        bots=bots,
        points=points,
        stock=stock,
        board=StockBoard(campaign, stock),
        payment=payment,
        ordering=ordering,
        monitor=monitor,
    )


def _follow_orders(
    outbox: Outbox, ordering: Ordering, campaign: Campaign, history: PriceHistory, points: Points
) -> None:
    """Let what follows from paid and refunded orders hear of them."""
    ordering.subscribe(outbox)
    Deals(campaign, history).subscribe(outbox)
    Loyalty(ordering, points).subscribe(outbox)


def _acquaint(shoppers: KnownShoppers, coupons: Coupons, pricing: Pricing, stock: Stock) -> None:
    """Tell the rooms below who the shoppers are and which gifts are gone."""
    coupons.follow(shoppers)
    pricing.follow(shoppers, GiftShelf(stock))


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[App]:
    """Give an application that is connected, on a database that is migrated."""
    app = compose(config)
    await migrate(app.db)
    await app.open()
    try:
        yield app
    finally:
        await app.close()
