"""What reservations use of limits over the whole promotion: the counters that orders use, in the same transaction.

A reservation that becomes an order hands its uses on, so that they count once. One that ends gives them back.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from tidegate.base.db import Tx
from tidegate.offer.campaign.contracts import CampaignDefinition
from tidegate.offer.pricing.api import Pricing, reserved_device_uses, reserved_uses, use_of
from tidegate.offer.pricing.contracts import CounterUse
from tidegate.sale.presale import store
from tidegate.sale.presale.contracts import Reservation, Reserve
from tidegate.sale.presale.ports import Devices

log = logging.getLogger(__name__)


class Counted:
    """The uses of reservations: what they come to, and giving them back."""

    def __init__(self, pricing: Pricing, devices: Devices) -> None:
        self._pricing = pricing
        self._devices = devices

    async def uses(
        self, tx: Tx, definition: CampaignDefinition, command: Reserve, buyer_id: UUID, session_id: UUID | None
    ) -> tuple[CounterUse, ...]:
        """Return what a reservation uses; limits by device count over the device of the session.

        Raises BuyerLimitReached and SharedLimitReached where it is too large whatever was reserved before.
        """
        own = reserved_uses(definition, command.sku, command.quantity, buyer_id)
        by_device = reserved_device_uses(definition, command.sku, command.quantity)
        if not by_device or session_id is None:
            return tuple(own)
        device = (await self._devices.devices_of(tx, [session_id]))[session_id]
        return (*own, *(use_of(use, device.hex) for use in by_device))

    async def give_back(self, tx: Tx, ended: Sequence[Reservation]) -> None:
        """Give back what locked reservations used that ended; once each, in one statement."""
        found = await store.counters_of(tx, [each.reservation_id for each in ended])
        broken = await self._pricing.release_counters(tx, [use for uses in found.values() for use in uses])
        if broken:
            log.error("counters held less than was given back: %s", ", ".join(broken))
