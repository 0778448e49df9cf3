"""Limits over what accounts share: orders get the counters of their device and their address, payments their payer's.

Only orders of campaigns that have such limits come here; they cost one or two statements a batch more.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from tidegate.base.db import Tx
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.offer.pricing.api import Pricing, use_of
from tidegate.offer.pricing.contracts import CounterUse, ScopedUse, SharedScope
from tidegate.sale.ordering.contracts import Asked, Order


class Subjects(Protocol):
    """Who knows what accounts share."""

    async def devices_of(self, tx: Tx, session_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """Return the device of each session."""
        ...

    async def places_of(self, tx: Tx, address_ids: Sequence[UUID]) -> Mapping[UUID, bytes]:
        """Return a digest of where each address is: equal for equal places of any accounts."""
        ...


async def with_subjects(tx: Tx, subjects: Subjects, batch: Sequence[Asked]) -> list[Asked]:
    """Return the orders with the counters of their devices and addresses beside those that they had."""
    scopes = {use.scope for asked in batch for use in asked.scoped}
    devices: Mapping[UUID, UUID] = {}
    places: Mapping[UUID, bytes] = {}
    if SharedScope.DEVICE in scopes:
        sessions = {asked.session_id for asked in batch if asked.session_id is not None}
        devices = await subjects.devices_of(tx, sorted(sessions))
    if SharedScope.ADDRESS in scopes:
        places = await subjects.places_of(tx, sorted({asked.address_id for asked in batch}))
    return [_completed(asked, devices, places) for asked in batch]


def _completed(asked: Asked, devices: Mapping[UUID, UUID], places: Mapping[UUID, bytes]) -> Asked:
    """Return an order with its counters; an address that nobody knows has none, and is refused as such."""
    named: dict[SharedScope, str] = {}
    if asked.session_id is not None and (device := devices.get(asked.session_id)) is not None:
        named[SharedScope.DEVICE] = device.hex
    if (place := places.get(asked.address_id)) is not None:
        named[SharedScope.ADDRESS] = place.hex()
    found = counters_of(asked.scoped, named)
    if not found:
        return asked
    counters = (*asked.priced.counters, *found)
    return msgspec.structs.replace(asked, priced=msgspec.structs.replace(asked.priced, counters=counters))


def counters_of(uses: Sequence[ScopedUse], named: Mapping[SharedScope, str]) -> list[CounterUse]:
    """Return the counters of those uses whose subject is known."""
    return [use_of(use, named[use.scope]) for use in uses if use.scope in named]


async def beyond_instrument(
    tx: Tx, pricing: Pricing, paid: Sequence[Order], payers: Mapping[UUID, str]
) -> frozenset[UUID]:
    """Count orders on the payment accounts that paid them; return those that are beyond a limit of theirs, whose other
    counters are given back.

    The account is known only now that it has paid. A payment whose channel does not tell it counts in no limit. Events
    come to one process at a time, so that no other makes a counter anew meanwhile.
    """
    uses: dict[UUID, list[CounterUse]] = {}
    for order in paid:
        payer = payers.get(order.order_id)
        if payer:
            scoped = await pricing.instrument_uses(tx, CampaignId(order.campaign_id), order.priced)
            if scoped:
                uses[order.order_id] = counters_of(scoped, {SharedScope.INSTRUMENT: payer})
    if not uses:
        return frozenset()
    counters = await pricing.lock_counters(tx, {use.key for each in uses.values() for use in each})
    beyond = frozenset(order_id for order_id, each in uses.items() if counters.try_use(each) is not None)
    await pricing.write_counters(tx, counters)
    await pricing.release_counters(
        tx, [use for order in paid if order.order_id in beyond for use in order.priced.counters]
    )
    return beyond
