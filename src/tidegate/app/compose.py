"""All the wiring on one screen: the modules bottom-up, one line each. Tests call it with other arguments."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

from tidegate.app.acquaintance import GiftShelf, KnownShoppers
from tidegate.app.books import MoneyPath, PaymentOutcomes
from tidegate.app.deals import Deals
from tidegate.app.loyalty import Loyalty
from tidegate.app.shopfront import ShopAddresses
from tidegate.app.waiting import Means, Outlook
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
from tidegate.gate.defence.api import build_defences
from tidegate.gate.edge.api import build_edge
from tidegate.gate.limits.api import build_limits
from tidegate.gate.queue.api import Queue
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.coupons.api import Coupons
from tidegate.offer.law.api import build_law
from tidegate.offer.pricing.api import Pricing
from tidegate.sale.draws.api import Draws
from tidegate.sale.groups.api import Groups
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.lane import HotLane
from tidegate.sale.ordering.station import AllowAll, RiskStation
from tidegate.sale.payment.api import Payment
from tidegate.sale.points.api import Points
from tidegate.sale.presale.api import Presales
from tidegate.sale.protection.api import Protection
from tidegate.sale.repricing.api import Repricing
from tidegate.sale.shortfall.api import Shortfalls
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.board import StockBoard
from tidegate.trust.identity.api import build_identity
from tidegate.watch.monitor import jobs as monitor_jobs
from tidegate.watch.monitor.api import Monitor
from tidegate.watch.monitor.ports import Checked


class App:
    """The whole application, wired; every process of it is one of these with another door open.

    Rooms are built from the lowest up, each module from those below it. No work is done and nothing is connected here.
    """

    def __init__(self, config: Config, clock: Clock, ids: Ids, risk: RiskStation) -> None:
        self.config, database_url, cache_url = _located(config)
        self.clock = clock
        self.ids = ids
        self.load = LoadControl(config.wait_target_ms / 1000 if config.wait_target_ms else inf)
        self.db = Database(
            database_url,
            replica_url=config.replica_url,
            connections_max=config.database_connections_max,
            load=self.load,
        )
        self.cache = Cache(cache_url)
        self.outbox = Outbox()
        self.jobs = Jobs(database_url)
        self._offer()
        self._guard()
        self._sell(risk)
        self._meet()
        self._watch()

    def _offer(self) -> None:
        """Who is who, and what is offered at what price."""
        config, db, clock, ids = self.config, self.db, self.clock, self.ids
        self.identity = build_identity(config, db=db, cache=self.cache, clock=clock, ids=ids)
        self.campaign = campaign = Campaign(clock, self.outbox)
        self.catalogue = Catalogue(clock, config.data_dir)
        self.coupons = Coupons(db, clock, ids, campaign)
        self.pricing = Pricing(campaign)
        self.history, self.law = build_law(clock, campaign, self.outbox)

    def _guard(self) -> None:
        """What stands before the sale."""
        config, cache, campaign = self.config, self.cache, self.campaign
        self.defences = build_defences(
            config, cache=cache, clock=self.clock, outbox=self.outbox, jobs=self.jobs, campaign=campaign
        )
        self.edge = build_edge(config, clock=self.clock, outbox=self.outbox, jobs=self.jobs, campaign=campaign)
        self.bots = Bots(config, cache, self.clock, self.ids)
        self.admission = Admission(config, self.clock, self.bots.misused)
        self.limits = build_limits(config, cache, campaign, self.defences.limit_factor, self.bots.rate_factor)

    def _sell(self, risk: RiskStation) -> None:
        """Stock, money and orders, and the ways of buying that rest on them."""
        config, db, clock, ids, outbox = self.config, self.db, self.clock, self.ids, self.outbox
        campaign, pricing, coupons = self.campaign, self.pricing, self.coupons
        self.points = points = Points(clock)
        self.stock = stock = Stock(clock)
        self.board = StockBoard(campaign, stock)
        self.payment = payment = Payment(
            db, self.cache, clock, ids, outbox, config.channels, public_url=config.public_url
        )
        lane = HotLane(
            db,
            clock,
            ids,
            outbox,
            self.identity,
            pricing,
            coupons,
            points,
            stock,
            payment,
            self.limits,
            risk,
            self.load,
        )
        hold = config.hold_seconds
        self.ordering = ordering = Ordering(
            db, clock, outbox, campaign, pricing, coupons, points, stock, payment, lane, ids, hold_seconds=hold
        )
        self.presales = Presales(
            db, clock, ids, campaign, stock, payment, ordering, pricing, self.identity, hold_seconds=hold
        )
        self.groups = Groups(db, clock, ids, outbox, campaign, pricing, stock, ordering)
        self.draws = Draws(config, db, clock, ids, outbox, campaign, ordering, self.identity)
        self.protection = Protection(db, clock, campaign, pricing, stock, ordering)
        self.repricing = Repricing(campaign, pricing, ordering)
        self.shortfalls = Shortfalls(db, clock, ids, outbox, stock, ordering)

    def _meet(self) -> None:
        """What lower rooms learn from higher ones, through ports of theirs; and who hears of orders."""
        stock, ordering = self.stock, self.ordering
        shoppers = KnownShoppers(self.db, self.clock, self.identity, ordering)
        self.defences.follow(PaymentOutcomes(self.payment))
        self.edge.follow(ShopAddresses())
        self.coupons.follow(shoppers)
        self.pricing.follow(shoppers, GiftShelf(stock))
        ordering.follow(self.presales)
        deals, loyalty = Deals(self.campaign, self.history, ordering, self.groups), Loyalty(ordering, self.points)
        for subscriber in (ordering, self.presales, self.groups, deals, loyalty, self.edge):
            subscriber.subscribe(self.outbox)
        self.outlook = Outlook(self.cache, stock, ordering)
        self.queue = Queue(
            self.config,
            self.db,
            self.cache,
            self.clock,
            self.campaign,
            self.admission,
            self.outlook,
            shoppers,
            Means(self.identity, self.payment),
            self.bots.cleared,
            self.bots.misused,
        )

    def _watch(self) -> None:
        """What looks at all the others."""
        offered: tuple[Checked, ...] = (self.identity, self.campaign, self.catalogue, self.coupons, self.pricing)
        guarded: tuple[Checked, ...] = (self.history, self.law, self.queue, self.defences, self.bots)
        sold: tuple[Checked, ...] = (self.points, self.stock, self.payment, self.ordering)
        ways: tuple[Checked, ...] = (self.presales, self.groups, self.draws, self.protection, self.repricing)
        after: tuple[Checked, ...] = (self.shortfalls,)
        self.monitor = Monitor(
            clock=self.clock,
            cache=self.cache,
            outbox=self.outbox,
            jobs=self.jobs,
            campaign=self.campaign,
            books=MoneyPath(self.campaign, self.stock, self.payment),
            modules={type(each).__name__.lower(): each for each in (*offered, *guarded, *sold, *ways, *after)},
        )
        monitor_jobs.subscribe(self.outbox, self.monitor)

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
    """Build the application with the system's clock, ids and no risk station but those that are given."""
    clock = clock or SystemClock()
    return App(config, clock, ids or Ids(clock), risk or AllowAll())


def _located(config: Config) -> tuple[Config, str, str]:
    """Return the settings with the addresses of database and cache, which are stated or those of the embedded ones."""
    config = located(config)
    assert config.database_url is not None
    assert config.cache_url is not None
    return config, config.database_url, config.cache_url


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
