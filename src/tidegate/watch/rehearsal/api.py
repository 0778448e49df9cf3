"""What can be rehearsed: a replay of a log, a flood of shoppers, and holding a flood's journal against the database."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic
from typing import Protocol
from uuid import UUID

import msgspec

from tidegate.base.clock import Clock
from tidegate.base.db import Database
from tidegate.base.invariant import Check
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import Audience, CampaignDefinition, CampaignVersion, Offer, OfferKind, PhaseName
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.payment.api import Payment
from tidegate.trust.identity.api import Identity
from tidegate.watch.rehearsal import order_log
from tidegate.watch.rehearsal.accounts import LogAccounts, Opening, write_flood_sessions
from tidegate.watch.rehearsal.books import differences
from tidegate.watch.rehearsal.contracts import (
    BookMoney,
    BotFarm,
    Dialect,
    FloodPlan,
    FloodProgress,
    FloodReport,
    Invoice,
    KnownOrder,
    LinePlan,
    ReplayManner,
    ReplayReport,
    Survey,
)
from tidegate.watch.rehearsal.cost import cost_of
from tidegate.watch.rehearsal.cost_contracts import CostReport, Purchase
from tidegate.watch.rehearsal.cost_words import promised_name, promised_words
from tidegate.watch.rehearsal.crowd import crowd_of, farm_check, member_checks, results_of, wanted_sku
from tidegate.watch.rehearsal.errors import NothingToBuy
from tidegate.watch.rehearsal.festival import festival_of
from tidegate.watch.rehearsal.flood import early_count, send_flood
from tidegate.watch.rehearsal.interruption import BY, Publish, interrupted, replaying
from tidegate.watch.rehearsal.journal import Comparison, read_journal, read_journeys
from tidegate.watch.rehearsal.progress import ShownProgress
from tidegate.watch.rehearsal.replay import Replay, Sent
from tidegate.watch.rehearsal.rules import Purchases, Tally, account_of, steps, survey
from tidegate.watch.rehearsal.shop import Shop

__all__ = [
    "CostReport",
    "Progress",
    "Purchase",
    "Rehearsal",
    "ShownProgress",
    "cost_of",
    "last_flood",
    "promised_name",
    "promised_words",
]

_FOLDER = "rehearsal"
_RESULTS = "flood.json"
_JOURNEYS = "journeys.jsonl"
_IDS_AT_ONCE = 2_000
_SETTLE_SECONDS = 90
_TAKE_UP_SECONDS = 2.5
_WORDS_MAX = 200
_HOT_MAX = 4


class Progress(Protocol):
    """Who is told how far it is."""

    def stage(self, name: str, total: int) -> None:
        """A new stage begins; it will be done at `total`."""
        ...

    def done(self, count: int, note: str = "") -> None:
        """So much of the stage is done."""
        ...


def last_flood(data_dir: Path) -> FloodReport | None:
    """Return the results of the last flood of an installation; None without one."""
    file = data_dir / _FOLDER / _RESULTS
    return msgspec.json.decode(file.read_bytes(), type=FloodReport) if file.exists() else None


class Rehearsal:
    """Rehearses on a running installation."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        data_dir: Path,
        identity: Identity,
        campaign: Campaign,
        ordering: Ordering,
        payment: Payment,
        publish: Publish,
    ) -> None:
        self._db = db
        self._folder = data_dir / _FOLDER
        self._opening = Opening(db, identity, clock)
        self._clock = clock
        self._campaign = campaign
        self._ordering = ordering
        self._payment = payment
        self._publish = publish

    async def replay(
        self,
        path: Path,
        url: str,
        progress: Progress,
        *,
        manner: ReplayManner | None = None,
    ) -> ReplayReport:
        """Send the log at `path` through the system at `url` and compare the money in its books with the log's.

        The log's own campaign is published for the time of the replay, and the one before it afterwards: what was
        published last by anybody but a replay. Where this process is killed, the worker publishes that one again.
        Running a replay again changes nothing. Raises LogNotReadable, SystemNotReachable, SessionsOver, ReplayUnderWay.
        """
        manner = manner or ReplayManner()
        shop = Shop(url, connections_max=manner.workers)
        try:
            await shop.require_ready()
            async with replaying(self._db):
                return await self._replayed(path, shop, progress, manner)
        finally:
            await shop.close()

    async def _replayed(self, path: Path, shop: Shop, progress: Progress, manner: ReplayManner) -> ReplayReport:
        before = await interrupted(self._db, self._campaign)
        try:
            found = self._survey(path, manner.dialect, progress)
            accounts = await self._accounts(path, manner, found, progress)
            progress.stage("publishing goods and offers", 1)
            version = await self._publish(festival_of(found, manner.currency), BY)
            await asyncio.sleep(_TAKE_UP_SECONDS)
            log = _Log(path, manner, found)
            sent, tally, seconds = await self._sent(log, Replay(shop, accounts, found.sha256, manner), progress)
            progress.stage("comparing the books", 1)
            books = await self._settled_books(sent, round(tally.money().undone * 100))
            return _report(log, version, sent, tally, books=books, seconds=seconds)
        finally:
            if before is not None:
                await self._publish(before.definition, BY)

    def _survey(self, path: Path, dialect: Dialect, progress: Progress) -> Survey:
        progress.stage("reading the log", path.stat().st_size if path.exists() else 1)
        sha256 = order_log.fingerprint(path)
        return survey(order_log.invoices(order_log.read_lines(path, dialect, progress.done), dialect), sha256)

    async def _accounts(self, path: Path, manner: ReplayManner, found: Survey, progress: Progress) -> LogAccounts:
        names: Sequence[str] = found.accounts
        if manner.limit is not None:
            names = list(dict.fromkeys(account_of(invoice) for invoice in _Log(path, manner, found)))
        accounts = LogAccounts(self._opening, self._folder / f"replay-{found.sha256[:12]}.jsonl")
        progress.stage("opening shoppers' accounts", len(names))
        await accounts.ensure(names, progress.done)
        return accounts

    async def _sent(self, log: "_Log", replay: Replay, progress: Progress) -> tuple[Sent, Tally, float]:
        progress.stage("sending invoices", log.total)
        tally, began = Tally(), monotonic()
        plan = steps(iter(log), Purchases(log.found.cancelled_goods), tally, log.manner.limits)
        sent = await replay.run(plan, lambda sent: progress.done(log.invoices, _note(sent)))
        return sent, tally, monotonic() - began

    async def _settled_books(self, sent: Sent, refunded: int) -> BookMoney:
        """Read the books when news of payments and refunds has arrived; give up when none comes any more."""
        books = await self._books(sent.order_ids)
        still, last = monotonic(), books
        while not _is_settled(books, refunded) and monotonic() - still < _SETTLE_SECONDS:
            await asyncio.sleep(1)
            books = await self._books(sent.order_ids)
            if books != last:
                still, last = monotonic(), books
        return books

    async def _books(self, order_ids: Sequence[UUID]) -> BookMoney:
        books = BookMoney(orders=0, ordered=0, paid=0, captured=0, refunded=0, given_back=0)
        ids = sorted(set(order_ids))
        for start in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[start : start + _IDS_AT_ONCE]
            async with self._db.transaction() as tx:
                orders, ledger = await self._ordering.sums(tx, some), await self._payment.ledger_sums(tx, some)
            books = BookMoney(
                orders=books.orders + orders.count,
                ordered=books.ordered + orders.total,
                paid=books.paid + orders.paid,
                captured=books.captured + ledger.captured,
                refunded=books.refunded + ledger.refunded,
                given_back=books.given_back + orders.refunded,
            )
        return books

    async def prepare_flood(
        self,
        url: str,
        shoppers: int,
        seconds: float,
        progress: Progress,
        *,
        opens_at: datetime | None = None,
        seed: int = 1,
        farm: BotFarm | None = None,
    ) -> FloodPlan:
        """Open the shoppers' accounts and return the plan of a flood on the current campaign. Raises NothingToBuy.

        Where the campaign has a waiting room they go through it. The accounts of a `farm`, which needs one, come on
        top of `shoppers`; everybody then has a client address (`X-Forwarded-For`), which counts where the sender is a
        trusted proxy of the installation.
        """
        version = self._campaign.current()
        if version is None:
            raise NothingToBuy(
                "No campaign is published; nobody was sent. Publish one first: tidegate campaign publish."
            )
        sessions = self._folder / "flood-sessions.jsonl"
        journal = self._folder / f"journal-{self._clock.now():%Y%m%dT%H%M%S}.jsonl"
        plan = _plan(
            version.definition,
            FloodPlan(
                url=url,
                shoppers=shoppers + (farm.accounts if farm is not None else 0),
                seconds=seconds,
                sessions=str(sessions),
                results=str(self._folder / _RESULTS),
                journal=str(journal),
                opens_at=opens_at or self._clock.now() + timedelta(seconds=min(10.0, seconds / 5)),
                hot_skus=(),
                skus=(),
                seed=seed,
                farm=farm,
                journeys=str(self._folder / _JOURNEYS),
            ),
        )
        if farm is not None and plan.line is None:
            raise ValueError("a bot farm is simulated in a waiting room only, and the campaign has none")
        progress.stage("opening shoppers' accounts", plan.shoppers)
        crowd = crowd_of(plan, early_count(plan))
        await write_flood_sessions(self._opening, plan.shoppers, crowd, sessions, progress.done)
        return plan

    async def flood(self, plan: FloodPlan, told: Callable[[FloodProgress], None]) -> FloodReport:
        """Send the flood; its results stay in the data folder for the debrief. Raises FloodFailed."""
        return await send_flood(plan, told, self._folder)

    async def reckon(self, plan: FloodPlan, report: FloodReport) -> FloodReport:
        """Return the report with what each group got, which the data folder keeps too; orders and units of the wanted
        product are counted in the books, so let them come to rest before.
        """
        current = self._campaign.current()
        if plan.line is None or current is None:
            return report
        journeys = list(read_journeys(Path(plan.journeys)))
        orders: Counter[UUID] = Counter()
        for start in range(0, len(journeys), _IDS_AT_ONCE):
            some = [each.account_id for each in journeys[start : start + _IDS_AT_ONCE]]
            async with self._db.transaction() as tx:
                orders.update(order.buyer_id for order in await self._ordering.keys_of_buyers(tx, some))
        async with self._db.transaction() as tx:
            units = await self._ordering.kept_units(tx, current.campaign_id, plan.line.wanted_sku)
        reckoned = msgspec.structs.replace(report, groups=results_of(journeys, plan.farm, orders, units))
        await asyncio.to_thread(Path(plan.results).write_bytes, msgspec.json.encode(reckoned))
        return reckoned

    def check_groups(self, report: FloodReport) -> list[Check]:
        """Hold what the groups got against what is fair; nothing where there was no line."""
        check = farm_check(report.groups)
        return [*([check] if check is not None else []), *member_checks(report.groups)]

    async def check_journal(self, journal: Path) -> list[Check]:
        """Hold a flood's journal against the database: acknowledged orders are there, and none nobody asked for."""
        comparison = Comparison(read_journal(journal))
        buyers = comparison.buyers
        for start in range(0, len(buyers), _IDS_AT_ONCE):
            async with self._db.transaction() as tx:
                orders = await self._ordering.keys_of_buyers(tx, buyers[start : start + _IDS_AT_ONCE])
            comparison.tell(msgspec.convert(order, KnownOrder, from_attributes=True) for order in orders)
        return comparison.checks()


def _is_settled(books: BookMoney, refunded: int) -> bool:
    return books.paid == books.captured and books.refunded == books.given_back == refunded


class _Log:
    """The log as a replay sends it: cut to the limit, with what has passed by counted."""

    def __init__(self, path: Path, manner: ReplayManner, found: Survey) -> None:
        self.path, self.manner, self.found = path, manner, found
        self.total = found.invoices if manner.limit is None else min(found.invoices, manner.limit)
        self.invoices = self.rows = 0

    def __iter__(self) -> Iterator[Invoice]:
        lines = order_log.read_lines(self.path, self.manner.dialect)
        for invoice in order_log.invoices(lines, self.manner.dialect, self.manner.limit):
            self.invoices += 1
            self.rows += len(invoice.lines)
            yield invoice


def _report(
    log: _Log, version: CampaignVersion, sent: Sent, tally: Tally, *, books: BookMoney, seconds: float
) -> ReplayReport:
    money = tally.money()
    return ReplayReport(
        log=log.path.name,
        campaign_id=version.campaign_id,
        currency=version.definition.currency,
        rows=log.rows,
        invoices=log.invoices,
        orders=sent.orders,
        split_invoices=tally.split_invoices,
        whole_cancellations=sent.whole_cancellations,
        partial_refunds=sent.partial_refunds,
        seconds=seconds,
        money=money,
        books=books,
        differences=differences(money, books),
        refused=tuple(sent.refused),
        refused_count=sent.refused_count,
    )


def _note(sent: Sent) -> str:
    back = sent.whole_cancellations + sent.partial_refunds
    refused = f", {sent.refused_count} refused" if sent.refused_count else ""
    return f"{sent.orders:,} orders, {back:,} cancellations{refused}"


def _plan(definition: CampaignDefinition, plan: FloodPlan) -> FloodPlan:
    """Fill in what there is to buy: the scarcest flash offers are hot; without any, the scarcest offers are."""
    offers = sorted(definition.offers, key=lambda offer: (offer.quota, offer.sku))
    if not offers:
        raise NothingToBuy("The campaign has no offers; nobody was sent.")
    flash = [offer for offer in offers if offer.kind is OfferKind.FLASH] or offers
    hot = [offer.sku for offer in flash[:_HOT_MAX]]
    goods = [entry.name for entry in definition.goods]
    Random(plan.seed).shuffle(goods)  # noqa: S311  which words are searched for, not secrets
    words = [word for name in goods[:_WORDS_MAX] for word in (name.zh[:4], name.en.split()[0])]
    return msgspec.structs.replace(
        plan,
        hot_skus=tuple(hot),
        skus=tuple(offer.sku for offer in offers),
        line=_line(definition, flash, plan.shoppers),
        coupons=tuple(coupon.code for coupon in definition.coupons if coupon.unique is None),
        words=tuple(dict.fromkeys(words)),
    )


def _line(definition: CampaignDefinition, flash: Sequence[Offer], shoppers: int) -> LinePlan | None:
    room = definition.waiting_room
    if room is None:
        return None
    return LinePlan(
        wanted_sku=wanted_sku({offer.sku: (offer.quota, offer.price) for offer in flash}, shoppers),
        opens_at=definition.phase(PhaseName.BURST).starts_at,
        claim_seconds=room.claim_seconds,
        member_lanes=tuple(lane.name for lane in room.lanes if lane.audience is Audience.MEMBERS),
    )
