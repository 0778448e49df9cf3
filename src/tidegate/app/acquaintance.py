"""Who the shoppers are to the shop: identity knows members and segments, ordering who bought here before."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from tidegate.base.batch import Batcher
from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.offer.campaign.contracts import Audience
from tidegate.offer.pricing.contracts import Shopper
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.stock.api import Stock
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import AccountId, Standing

KNOWN_SECONDS = 10.0
"""How old what prices are told of a shopper may be. A shopper looks at goods, then at a checkout, then orders."""

_APART_SECONDS = 0.02
"""A batch is read in a few milliseconds. In a flood eight more shoppers come in them, and two statements for eight cost
nearly what they cost for eighty. Who comes alone waits for nothing."""

_HALF = timedelta(seconds=KNOWN_SECONDS / 2)


class KnownShoppers:
    """Fulfils the queue's `Audiences`, coupons' `Acquaintance` and pricing's `Shoppers`.

    A customer who ever paid for an order is returning, any other is new.
    """

    def __init__(self, db: Database, clock: Clock, identity: Identity, ordering: Ordering) -> None:
        self._db = db
        self._clock = clock
        self._identity = identity
        self._ordering = ordering
        self._lately: dict[int, Shopper] = {}
        self._before: dict[int, Shopper] = {}
        """Who was read in this half of KNOWN_SECONDS, and in the half before it, by the number of the account."""
        self._half = clock.now(), clock.now()
        """When this half began, and when it ends."""
        # One batch at a time, apart: a small batch costs nearly what a large one does, and the next gathers meanwhile.
        self._batcher: Batcher[UUID, Shopper] = Batcher(
            "shopper", self._read, size_max=256, in_flight_max=1, apart_seconds=_APART_SECONDS
        )

    async def shopper(self, account_id: UUID) -> Shopper:
        """Return who an account is, or was at most KNOWN_SECONDS ago; who is asked for meanwhile is read together.

        Raises Overloaded and DatabaseUnavailable.
        """
        now, (since, until) = self._clock.now(), self._half
        if not since <= now < until:
            self._before, self._lately = self._lately if until <= now < until + _HALF else {}, {}
            self._half = now, now + _HALF
        number = account_id.int
        known = self._lately.get(number) or self._before.get(number)
        if known is None:
            known = self._lately[number] = await self._batcher.submit(account_id)
        return known

    async def _read(self, account_ids: list[UUID]) -> Sequence[Shopper]:
        """Read a batch, on the primary."""
        unique = {each.int: AccountId(each) for each in account_ids}
        async with self._db.newest() as tx:
            standings = await self._identity.standings_of(tx, unique.values())
            paid = await self._ordering.paid_buyers(tx, unique.values())
        known = {number: known_as(standings[each], has_paid=each in paid) for number, each in unique.items()}
        return [known[each.int] for each in account_ids]

    async def audiences(self, tx: Tx, account_ids: Sequence[UUID]) -> Mapping[UUID, frozenset[Audience]]:
        """Return the audiences that each account belongs to."""
        standings = await self._identity.standings_of(tx, [AccountId(each) for each in account_ids])
        paid = await self._ordering.paid_buyers(tx, account_ids)
        return {each: known_as(standing, has_paid=each in paid).audience for each, standing in standings.items()}


class GiftShelf:
    """Fulfils pricing's `GiftStock`: stock knows what is left."""

    def __init__(self, stock: Stock) -> None:
        self._stock = stock

    async def gone(self, tx: Tx, campaign_id: str, skus: Collection[str]) -> frozenset[str]:
        """Return those of the SKUs of which no unit is free."""
        levels = await self._stock.levels(tx, campaign_id, sorted(skus))
        return frozenset(sku for sku in skus if sku not in levels or levels[sku].free == 0)


@lru_cache(maxsize=1_000)
def known_as(standing: Standing, *, has_paid: bool) -> Shopper:
    """Return what prices depend on of who somebody is."""
    bought = Audience.RETURNING if has_paid else Audience.NEW
    audience = frozenset({Audience.EVERYONE, bought} | ({Audience.MEMBERS} if standing.tier else set()))
    return Shopper(audience=audience, tier=standing.tier, segments=standing.segments)
