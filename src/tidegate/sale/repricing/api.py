"""What can be done with repricing: price one order again, and hold a sample of all orders against their rules."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from tidegate.base.db import Tx
from tidegate.base.errors import Refusal
from tidegate.base.invariant import Check
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.offer.campaign.errors import CampaignUnknown
from tidegate.offer.pricing.api import Pricing, priced_again
from tidegate.offer.pricing.contracts import PricedOrder, RuleSet
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import Order
from tidegate.sale.presale.api import priced_by
from tidegate.sale.presale.errors import PresaleUnknown
from tidegate.sale.repricing.contracts import Difference, Making, Repriced, What
from tidegate.sale.repricing.rules import NONE, differences, making_of

LATEST = 200
AT_RANDOM = 200
_RULES_KEPT = 4
"""Compiled rule sets of past versions that are kept; one of a large festival takes megabytes."""
_FAULTS_KEPT = 50
_FAULTS_TOLD = 5
_BREATH = 20


class Repricing:
    """Prices orders again by the rules that priced them."""

    def __init__(self, campaign: Campaign, pricing: Pricing, ordering: Ordering) -> None:
        self._campaign = campaign
        self._pricing = pricing
        self._ordering = ordering
        self._rules: dict[tuple[CampaignId, int, Making], RuleSet] = {}
        self._faulty: tuple[UUID, ...] = ()
        """Orders that differed when they were looked at last: chance does not let them off."""

    async def reprice(self, tx: Tx, order_id: UUID) -> Repriced:
        """Price an order again from what it keeps, by the version that it names; nothing is changed.

        Raises OrderUnknown. A version that is not kept and goods that it would not sell are differences.
        """
        return await self._again(tx, await self._ordering.order(tx, order_id))

    async def check(self, tx: Tx) -> list[Check]:
        """Price the latest orders and some at random again, and once more those that differed before."""
        orders = await self._ordering.sampled(tx, LATEST, AT_RANDOM, self._faulty)
        unlike: list[Repriced] = []
        for place, order in enumerate(orders):
            if place % _BREATH == 0:
                await asyncio.sleep(0)
            again = await self._again(tx, order)
            if not again.same:
                unlike.append(again)
        self._faulty = tuple(each.order_id for each in unlike[:_FAULTS_KEPT])
        return [
            Check(
                name="repricing: orders priced again by the rules that they name come to the same cent",
                holds=not unlike,
                examined=len(orders),
                detail="; ".join(map(_told, unlike[:_FAULTS_TOLD])),
            )
        ]

    async def _again(self, tx: Tx, order: Order) -> Repriced:
        making = Making.PRESALE if order.deposit_id is not None else Making.ORDINARY
        try:
            making = await self._making(tx, order)
            again = await self._priced(tx, order, making)
        except CampaignUnknown:
            return _unpriced(order, making, What.RULES, NONE)
        except Refusal as refusal:
            return _unpriced(order, making, What.REFUSED, refusal.code)
        if again is None:
            return _unpriced(order, making, What.REFUSED, PresaleUnknown.code)
        found = differences(order, again)
        return _repriced(order, making, again.total, again.trace_hash, found)

    async def _making(self, tx: Tx, order: Order) -> Making:
        if order.deposit_id is not None:
            return Making.PRESALE
        return making_of(order, await self._rules_of(tx, order, Making.ORDINARY))

    async def _priced(self, tx: Tx, order: Order, making: Making) -> PricedOrder | None:
        if making is Making.PRESALE:
            [line] = order.priced.lines
            version = await self._campaign.version(tx, CampaignId(order.campaign_id), order.priced.rules_version)
            return priced_by(version, line.sku, line.quantity)
        return priced_again(await self._rules_of(tx, order, making), order.priced, order.coupon)

    async def _rules_of(self, tx: Tx, order: Order, making: Making) -> RuleSet:
        campaign_id, version = CampaignId(order.campaign_id), order.priced.rules_version
        key = (campaign_id, version, making)
        if key not in self._rules:
            read = self._pricing.group_rules_of if making is Making.GROUP else self._pricing.rules_of
            rules = await read(tx, campaign_id, version)
            if len(self._rules) >= _RULES_KEPT:
                self._rules.pop(next(iter(self._rules)))
            self._rules[key] = rules
        return self._rules[key]


def _unpriced(order: Order, making: Making, what: What, why: str) -> Repriced:
    difference = Difference(what=what, kept=f"version {order.priced.rules_version}", again=why)
    return _repriced(order, making, None, "", [difference])


def _repriced(
    order: Order, making: Making, total: int | None, trace_hash: str, found: Sequence[Difference]
) -> Repriced:
    return Repriced(
        order_id=order.order_id,
        campaign_id=order.campaign_id,
        rules_version=order.priced.rules_version,
        making=making,
        currency=order.currency,
        total=total,
        trace_hash=trace_hash,
        differences=tuple(found),
    )


def _told(again: Repriced) -> str:
    first = again.differences[0]
    return f"{again.order_id}: {first.what} {first.of} {first.kept}, again {first.again}".replace("  ", " ")
