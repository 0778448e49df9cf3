"""What can be asked of the debrief: its figures, put together from the books of ordering, payment and stock."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from tidegate.base.clock import Clock
from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.gate.queue.contracts import Verification
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignId, CampaignVersion, GoodsEntry, PhaseName
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.payment.api import Payment
from tidegate.sale.stock.api import Stock
from tidegate.watch.debrief import rules
from tidegate.watch.debrief.contracts import (
    AttemptSpan,
    Debrief,
    Facts,
    Latency,
    PaymentTotals,
    SaleSpan,
    SoldOut,
    Target,
    Wanted,
)
from tidegate.watch.debrief.errors import NothingToDebrief
from tidegate.watch.debrief.rendering import page, show, terminal
from tidegate.watch.rehearsal.contracts import FloodReport

__all__ = ["Debriefing", "page", "show", "terminal"]

SOLD_OUT_MAX = 50


class Debriefing:
    """Makes debriefs. Reads only; every figure comes from the module that owns it."""

    def __init__(self, clock: Clock, campaign: Campaign, ordering: Ordering, payment: Payment, stock: Stock) -> None:
        self._clock = clock
        self._campaign = campaign
        self._ordering = ordering
        self._payment = payment
        self._stock = stock

    async def version(self, tx: Tx, campaign_id: str | None = None) -> CampaignVersion:
        """Return the version to look back on: the last one of a campaign, or the current one.

        Raises NothingToDebrief when nothing was published, CampaignUnknown.
        """
        if campaign_id is not None:
            return await self._campaign.version(tx, CampaignId(campaign_id))
        current = self._campaign.current()
        if current is None:
            raise NothingToDebrief("No campaign has been published yet, so there is nothing to look back on.")
        return current

    async def debrief(
        self,
        tx: Tx,
        version: CampaignVersion,
        *,
        flood: FloodReport | None = None,
        checks: Sequence[Check] = (),
        draw: Verification | None = None,
    ) -> Debrief:
        """Return the debrief of a campaign from its first order to its last, over one snapshot (`Database.snapshot`).

        With a flood's report it also has the latencies that the simulated shoppers saw, their number as visitors, and
        what each group of them got in the line; `draw` is what the check of the line's draw found.
        """
        facts = await self._facts(tx, version, _of_this(flood, await self._span(tx, version)), tuple(checks))
        return rules.debrief(msgspec.structs.replace(facts, draw=draw), self._clock.now())

    async def _facts(
        self, tx: Tx, version: CampaignVersion, flood: FloodReport | None, checks: tuple[Check, ...]
    ) -> Facts:
        definition, campaign_id = version.definition, version.campaign_id
        since, until = await self._span(tx, version)
        seconds = rules.span_seconds(since, until)
        opening = definition.phase(PhaseName.BURST).starts_at
        takings = await self._payment.takings(tx, since, until)
        return Facts(
            campaign_id=campaign_id,
            title_zh=definition.title.zh,
            title_en=definition.title.en,
            version=version.version,
            currency=definition.currency,
            started_at=since,
            ended_at=until,
            opened_at=opening if since - timedelta(hours=1) <= opening <= until else since,
            span_seconds=seconds,
            sales=await self._sales(tx, campaign_id, since, until, seconds),
            attempts=await self._attempts(tx, since, until, seconds),
            payments=PaymentTotals(
                tried=takings.tried,
                captured=takings.captured,
                captured_value=takings.captured_value,
                refunded_value=takings.refunded_value,
            ),
            buyers=await self._ordering.buyers(tx, campaign_id, since, until),
            sold_out=await self._sold_out(tx, campaign_id, {each.sku: each for each in definition.goods}),
            targets=tuple(
                Target(kind=goal.kind, unit=goal.unit, target=goal.target, at_least=goal.at_least)
                for goal in definition.goals
            ),
            latencies=_latencies(flood),
            visitors=flood.shoppers if flood is not None else None,
            wanted=_wanted(version, flood),
            groups=flood.groups if flood is not None else (),
            checks=checks,
        )

    async def _span(self, tx: Tx, version: CampaignVersion) -> tuple[datetime, datetime]:
        placed = await self._ordering.placed_between(tx, version.campaign_id)
        first, last = placed or (version.published_at, version.published_at)
        return first.replace(microsecond=0), last.replace(microsecond=0) + timedelta(seconds=1)

    async def _sales(
        self, tx: Tx, campaign_id: str, since: datetime, until: datetime, seconds: int
    ) -> tuple[SaleSpan, ...]:
        """Return every span from the first order to the last, also those in which nothing was ordered."""
        found = {each.at: each for each in await self._ordering.sold_spans(tx, campaign_id, since, until, seconds)}
        if not found:
            return ()
        return tuple(
            SaleSpan(
                at=at,
                placed=sold.placed,
                placed_value=sold.placed_value,
                paid=sold.paid,
                paid_value=sold.paid_value,
                cancelled=sold.cancelled,
                expired=sold.expired,
            )
            if (sold := found.get(at)) is not None
            else SaleSpan(at=at)
            for at in _times(since, until, seconds)
        )

    async def _attempts(self, tx: Tx, since: datetime, until: datetime, seconds: int) -> tuple[AttemptSpan, ...]:
        spans = []
        for at in _times(since, until, seconds):
            counted = await self._payment.attempts_between(tx, at, at + timedelta(seconds=seconds))
            spans += [_attempt_span(at, channel, outcomes) for channel, outcomes in sorted(counted.items())]
        return tuple(spans)

    async def _sold_out(self, tx: Tx, campaign_id: str, goods: Mapping[str, GoodsEntry]) -> tuple[SoldOut, ...]:
        gone = await self._stock.gone(tx, campaign_id)
        return tuple(
            SoldOut(
                sku=each.sku,
                name_zh=goods[each.sku].name.zh if each.sku in goods else each.sku,
                name_en=goods[each.sku].name.en if each.sku in goods else each.sku,
                units=each.units,
                at=each.at,
            )
            for each in gone[:SOLD_OUT_MAX]
        )


def _of_this(flood: FloodReport | None, span: tuple[datetime, datetime]) -> FloodReport | None:
    """Return the flood's report if it was sent while these orders were placed; another festival's says nothing."""
    if flood is None or flood.ended_at < span[0] or span[1] < flood.started_at:
        return None
    return flood


def _wanted(version: CampaignVersion, flood: FloodReport | None) -> Wanted | None:
    """Return what all simulated shoppers wanted first, where they stood in line for it."""
    definition = version.definition
    offer = next((each for each in definition.offers if flood and each.sku == flood.wanted_sku), None)
    goods = next((each for each in definition.goods if offer and each.sku == offer.sku), None)
    if offer is None or goods is None:
        return None
    return Wanted(name_zh=goods.name.zh, name_en=goods.name.en, units=offer.quota)


def _times(since: datetime, until: datetime, seconds: int) -> list[datetime]:
    count = -(-int((until - since).total_seconds()) // seconds)
    return [since + timedelta(seconds=place * seconds) for place in range(count)]


def _attempt_span(at: datetime, channel: str, outcomes: Mapping[str, int]) -> AttemptSpan:
    return AttemptSpan(
        at=at,
        channel=channel,
        captured=outcomes.get("captured", 0),
        refused=outcomes.get("declined", 0),
        failed=outcomes.get("failed", 0),
        unknown=outcomes.get("unknown", 0),
    )


def _latencies(flood: FloodReport | None) -> tuple[Latency, ...]:
    if flood is None:
        return ()
    return tuple(
        Latency(
            name=each.name,
            requests=each.requests,
            failures=each.failures,
            p50=each.percentile(0.5),
            p95=each.percentile(0.95),
            p99=each.percentile(0.99),
        )
        for each in flood.latencies
    )
