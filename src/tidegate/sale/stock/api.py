"""What can be done with stock. Every call works on a whole batch in the caller's transaction."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import psycopg

from tidegate.base.clock import Clock
from tidegate.base.db import Tx, constraint_of
from tidegate.base.invariant import Check
from tidegate.sale.stock import store, store_count
from tidegate.sale.stock.contracts import (
    Claim,
    Fingerprint,
    Gone,
    Hold,
    HoldState,
    Level,
    LevelPage,
    Promise,
    ShortLevel,
    StockLedger,
    Units,
)
from tidegate.sale.stock.errors import QuotaBelowPromise, StockUnknown

_NAMED_MAX = 5


class Stock:
    """Levels and holds of all campaigns."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def set_quotas(self, tx: Tx, campaign_id: str, quotas: Mapping[str, int]) -> None:
        """Give a campaign so many units of each SKU; SKUs that are not named stop selling.

        Raises QuotaBelowPromise when more is held and sold already; then nothing of the quotas is changed.
        """
        try:
            async with tx.transaction():
                await store.put_quotas(tx, campaign_id, quotas)
        except psycopg.errors.CheckViolation as fault:
            if constraint_of(fault) != "level_never_oversold":
                raise
            raise QuotaBelowPromise(
                "A new quota is smaller than the units that are held, sold and missing already. "
                "No quota was changed. Raise it to at least what is promised.",
                campaign_id=campaign_id,
            ) from fault

    async def lock(self, tx: Tx, campaign_id: str, skus: Collection[str]) -> StockLedger:
        """Lock the levels of these SKUs in key order, for a batch of orders to be decided on."""
        return StockLedger(campaign_id, await store.lock_levels(tx, campaign_id, sorted(skus)))

    async def look(self, tx: Tx, campaign_id: str, skus: Collection[str]) -> StockLedger:
        """Look at the levels of these SKUs without locking them, for a batch that asks for little of what is free."""
        return StockLedger(campaign_id, await store.levels(tx, campaign_id, sorted(skus)))

    async def hold(self, tx: Tx, ledger: StockLedger) -> None:
        """Write what was taken from `ledger` as holds, and lock the levels if they are not: so, the last write.

        Breaks `level_never_oversold` when levels that were only looked at have been emptied since: roll back, lock.
        """
        if ledger.taken:
            await store.insert_holds(tx, ledger.campaign_id, ledger.taken, self._clock.now())

    async def reserve(self, tx: Tx, campaign_id: str, units: Units) -> None:
        """Hold units for a reservation under its id; it becomes an order's hold when that order is made of it.

        The level is to be locked. Breaks `level_never_oversold` when too few are free: look at the ledger before.
        """
        await store.insert_holds(tx, campaign_id, [units], self._clock.now())
        await store.mark_reserved(tx, [units], reserved=True)

    async def sell_reserved(self, tx: Tx, campaign_id: str, units: Units) -> int:
        """End a reservation's hold as sold to the order of the same id; return how many holds that were."""
        ended = await self._end(tx, campaign_id, [Claim(units.order_id, units.sku)], HoldState.SOLD)
        if ended:
            await store.mark_reserved(tx, [units], reserved=False)
        return ended

    async def sell(self, tx: Tx, campaign_id: str, claims: Sequence[Claim]) -> int:
        """End these holds as sold; return how many were still held. Ended ones are left as they are."""
        return await self._end(tx, campaign_id, claims, HoldState.SOLD)

    async def release(self, tx: Tx, campaign_id: str, claims: Sequence[Claim]) -> int:
        """End these holds and make their units free; return how many were still held."""
        return await self._end(tx, campaign_id, claims, HoldState.RELEASED)

    async def take_back(self, tx: Tx, campaign_id: str, units: Sequence[Units]) -> None:
        """Make units of sold holds free again, after a refund of goods that never left.

        Those that were to come later are given back first: nothing of what is there becomes free by them.
        """
        await store.lock_levels(tx, campaign_id, sorted({each.sku for each in units}))
        await store.return_units(tx, campaign_id, units)

    async def lock_level(self, tx: Tx, campaign_id: str, sku: str) -> Level:
        """Lock one SKU's level and return it. Raises StockUnknown."""
        locked = await store.lock_levels(tx, campaign_id, [sku])
        if not locked:
            raise StockUnknown(f"The campaign {campaign_id} never had units of {sku}. Nothing was changed.", sku=sku)
        return locked[0]

    async def lose(self, tx: Tx, campaign_id: str, sku: str, units: int) -> Level:
        """Note that so many loaded units are not there, on a level that is locked; return it as it stands then.

        From this transaction on they are not sold. What was promised of them is short, until it is released, given back
        or put off; whatever comes free until then closes the gap.
        """
        return await store_count.lose(tx, campaign_id, sku, units)

    async def put_off(self, tx: Tx, campaign_id: str, units: Sequence[Units]) -> None:
        """Let these units of sold holds come from a later delivery, on levels that are locked."""
        await store_count.put_off(tx, campaign_id, units)

    async def promises(self, tx: Tx, campaign_id: str, sku: str, limit: int) -> list[Promise]:
        """Return who is promised units of what is there: held ones, the newest first, then sold ones, the latest paid
        first.
        """
        return await store_count.promises(tx, campaign_id, sku, limit)

    async def short_levels(self, tx: Tx) -> list[ShortLevel]:
        """Return the SKUs of which more is promised than is there, over all campaigns."""
        return await store_count.short_levels(tx)

    async def lost(self, tx: Tx) -> dict[tuple[str, str], int]:
        """Return how many units are missing, by campaign and SKU."""
        return await store_count.lost(tx)

    async def later(self, tx: Tx) -> dict[tuple[UUID, str], int]:
        """Return how many units come later, by order and SKU."""
        return await store_count.later(tx)

    async def page(self, tx: Tx, campaign_id: str, text: str, limit: int, offset: int) -> LevelPage:
        """Return a page of a campaign's levels whose SKU begins with `text`: those that are short first, then missing
        ones, then the most promised.
        """
        return await store_count.page(tx, campaign_id, text, limit, offset)

    async def levels(self, tx: Tx, campaign_id: str, skus: Sequence[str]) -> dict[str, Level]:
        """Return the levels of these SKUs, by SKU; one that was never loaded is missing."""
        return {level.sku: level for level in await store.levels(tx, campaign_id, skus)}

    async def hottest(self, tx: Tx, campaign_id: str, limit: int = 10) -> list[Level]:
        """Return the levels of which the largest share is promised, hottest first."""
        return await store.hottest(tx, campaign_id, limit)

    async def totals(self, tx: Tx, campaign_id: str, skus: Sequence[str] | None) -> tuple[int, int]:
        """Return how many units of these SKUs are free, and how many are held; None means all SKUs."""
        return await store.totals(tx, campaign_id, list(skus) if skus is not None else None)

    async def holds_of(self, tx: Tx, order_id: UUID, skus: Sequence[str]) -> list[Hold]:
        """Return an order's holds."""
        return await store.holds_of(tx, order_id, skus)

    async def fingerprint(self, tx: Tx, state: HoldState, *, reserved: bool = False) -> Fingerprint:
        """Return the fingerprint of all holds of orders, or of reservations, in one state: to compare with theirs."""
        return await store.fingerprint(tx, state, reserved=reserved)

    async def gone(self, tx: Tx, campaign_id: str) -> list[Gone]:
        """Return the SKUs of which no unit is free, with the moment the last one was promised, earliest first."""
        return await store.gone(tx, campaign_id)

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the invariants of stock against the database."""
        examined, broken = await store.broken_levels(tx)
        return [
            Check(
                name="stock: free + held + sold + missing = loaded for each SKU, none negative, and holds agree",
                holds=not broken,
                examined=examined,
                detail="; ".join(broken[:_NAMED_MAX]),
            )
        ]

    async def _end(self, tx: Tx, campaign_id: str, claims: Sequence[Claim], state: HoldState) -> int:
        if not claims:
            return 0
        await store.lock_levels(tx, campaign_id, sorted({claim.sku for claim in claims}))
        return await store.end_holds(tx, campaign_id, claims, state, self._clock.now())
