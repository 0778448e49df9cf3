"""The use cases of edge: purge what a publication changed, purge by hand, look back, and prewarm."""

from collections.abc import Sequence
from datetime import timedelta

from tidegate.base.clock import Clock
from tidegate.base.config import Config
from tidegate.base.db import Database, Tx
from tidegate.base.jobs import Jobs
from tidegate.base.outbox import Outbox
from tidegate.gate.edge import rules, store
from tidegate.gate.edge.adapters.addressing import addresses_of
from tidegate.gate.edge.adapters.purging import purger_of
from tidegate.gate.edge.adapters.warming import HttpWarmer
from tidegate.gate.edge.contracts import (
    PAGES_TAG,
    Ask,
    EdgePurged,
    EdgePurgeFailed,
    Kind,
    Pace,
    Purge,
    pages_in,
)
from tidegate.gate.edge.errors import EdgeNoPage, EdgeNotSet, PurgeRefused
from tidegate.gate.edge.ports import Heard, Purger, Shopfront, Warmer
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignId, CampaignPublished, CampaignVersion
from tidegate.offer.catalogue.api import goods_of_campaign

__all__ = ["PURGE_TASK", "TRIES_MAX", "Edge", "build_edge", "tag_header"]

PURGE_TASK = "edge.purge"
TRIES_MAX = 9
LANGUAGES = ("zh", "en")
PURGES_MAX = 200
_SETTLED = timedelta(seconds=5)
"""Within this every process shows a version that was published: it takes it up in a second and keeps pages for two.
What is purged sooner could come back from the application as it was."""


class Edge:
    """The edge of one installation. Without a `purger` publications ask nothing of it."""

    def __init__(
        self, clock: Clock, outbox: Outbox, jobs: Jobs, campaign: Campaign, purger: Purger | None, warmer: Warmer
    ) -> None:
        self._clock = clock
        self._outbox = outbox
        self._jobs = jobs
        self._campaign = campaign
        self._purger = purger
        self._warmer = warmer
        self._shopfront: Shopfront | None = None
        self._settled = _SETTLED

    def follow(self, shopfront: Shopfront) -> None:
        """Learn the shop's addresses from those who serve them."""
        self._shopfront = shopfront

    def subscribe(self, outbox: Outbox) -> None:
        """Hear of every publication."""
        outbox.subscribe("edge", {CampaignPublished: self._published})

    async def _published(self, tx: Tx, events: list[CampaignPublished]) -> None:
        if self._purger is None:
            return
        for event in events:
            purge_id = await store.add(tx, event.campaign_id, event.version, self._clock.now())
            await self._jobs.defer(tx, PURGE_TASK, at=self._clock.now() + self._settled, purge_id=purge_id)

    # Purging

    async def purge_published(self, db: Database, purge_id: int) -> None:
        """Take one try at a purge: all that changed since the last one that was done. Raises PurgeRefused."""
        if self._purger is None:
            raise _not_set()
        async with db.read() as tx:
            wanted = await store.purge(tx, purge_id)
            if wanted is None or wanted.done_at is not None or wanted.gave_up_at is not None:
                return
            pages = await self._changed(tx, wanted)
        try:
            await self._purger.purge(pages)
        except PurgeRefused as refusal:
            async with db.transaction() as tx:
                await self._note_failure(tx, purge_id, refusal.detail)
            raise
        async with db.transaction() as tx:
            if await store.put_done(tx, purge_id, len(pages), self._clock.now()):
                await self._outbox.append(
                    tx,
                    EdgePurged(
                        campaign_id=wanted.campaign_id,
                        version=wanted.version,
                        pages=len(pages),
                        tries=wanted.tries + 1,
                    ),
                )

    async def _changed(self, tx: Tx, wanted: Purge) -> list[str]:
        after = await self._version(tx, wanted)
        last = await store.done_before(tx, wanted.purge_id)
        before = await self._version(tx, last) if last else None
        skus = rules.changed_goods(before.definition if before else None, after.definition)
        shop = self._shop()
        return [*shop.pages(after), *(shop.goods_page(sku) for sku in skus)]

    async def _version(self, tx: Tx, purge: Purge) -> CampaignVersion:
        return await self._campaign.version(tx, CampaignId(purge.campaign_id), purge.version)

    async def _note_failure(self, tx: Tx, purge_id: int, fault: str) -> None:
        """Write a failed try down; tell of the first and of the last."""
        purge = await store.put_failed(tx, purge_id, fault, TRIES_MAX, self._clock.now())
        gave_up = purge is not None and purge.gave_up_at is not None
        if purge is not None and (purge.tries == 1 or gave_up):
            failed = EdgePurgeFailed(
                campaign_id=purge.campaign_id, version=purge.version, fault=fault[:300], gave_up=gave_up
            )
            await self._outbox.append(tx, failed)

    async def purge(self, paths: Sequence[str] = ()) -> int:
        """Purge these pages now, or all of the current campaign; return how many. For staff at the command line.

        Raises EdgeNotSet, EdgeNoPage, PurgeRefused.
        """
        if self._purger is None:
            raise _not_set()
        for path in paths:
            if not path.startswith("/") or path.startswith("//"):
                raise EdgeNoPage(f"{path!r} is no page: give a path of the shop, such as /rules. Nothing was purged.")
        pages = list(paths) or self._pages(self._campaign.current())
        await self._purger.purge(pages)
        return len(pages)

    async def purges(self, tx: Tx, most: int = 20) -> list[Purge]:
        """Return the newest purges of publications, newest first; at most 200."""
        return await store.newest(tx, min(most, PURGES_MAX))

    # Prewarming

    @property
    def edges(self) -> int:
        """How many edges are asked."""
        return self._warmer.edges

    def to_warm(self, version: CampaignVersion) -> list[Ask]:
        """Return everything that everybody will ask for: files and pictures, which stay, then the pages."""
        pictures = {
            picture.url(width)
            for picture in (goods.picture for goods in goods_of_campaign(version.definition))
            for width in picture.widths
        }
        return [
            *(Ask(Kind.FILE, path) for path in self._shop().files()),
            *(Ask(Kind.PICTURE, path) for path in sorted(pictures)),
            *pages_in(self._pages(version), LANGUAGES),
        ]

    async def prewarm(self, asks: Sequence[Ask], pace: Pace, heard: Heard) -> None:
        """Ask every edge for all of these; each answer is heard as it comes, and no failure stops the others."""
        await self._warmer.warm(asks, pace, heard)

    def _pages(self, version: CampaignVersion | None) -> list[str]:
        if version is None:
            return []
        shop = self._shop()
        return [*shop.pages(version), *(shop.goods_page(each.sku) for each in version.definition.goods)]

    def _shop(self) -> Shopfront:
        assert self._shopfront is not None, "compose tells the edge the shop's addresses"
        return self._shopfront


def build_edge(config: Config, *, clock: Clock, outbox: Outbox, jobs: Jobs, campaign: Campaign) -> Edge:
    """Return the edge of the installation that `config` describes."""
    return Edge(clock, outbox, jobs, campaign, purger_of(config), HttpWarmer(addresses_of(config)))


def _not_set() -> EdgeNotSet:
    return EdgeNotSet("No way to purge is set; nothing was purged. Set TIDEGATE_EDGE_PURGE (docs/deploy.md).")


def tag_header(config: Config) -> tuple[bytes, bytes] | None:
    """Return the header by which an edge that is purged by tag knows pages of everybody; both makers take it off."""
    names = {"cloudflare-tags": b"cache-tag", "fastly-keys": b"surrogate-key"}
    name = names.get(config.edge_purge)
    return (name, PAGES_TAG.encode()) if name else None
