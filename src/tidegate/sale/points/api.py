"""What can be done with points. Every call works in the caller's transaction; whole batches where orders are many."""

from collections.abc import Collection, Sequence
from uuid import UUID

from tidegate.base.clock import Clock
from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.sale.points import store
from tidegate.sale.points.contracts import POINTS_MAX, Balance, Earned, Entry, EntryKind, OpenPoints, Settled
from tidegate.sale.points.errors import GrantNotValid, PointsMoved
from tidegate.sale.points.rules import Purse, taken_back

__all__ = ["Points", "Purse", "taken_back"]

REASON_LENGTH_MAX = 200


class Points:
    """The ledger of all shoppers' points."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def lock(self, tx: Tx, account_ids: Collection[UUID]) -> Purse:
        """Lock these shoppers' balances in the order of their ids, for a batch of orders to be decided on.

        Nothing is asked of the database where no order spends points.
        """
        return Purse(await store.lock(tx, account_ids) if account_ids else {})

    async def hold(self, tx: Tx, purse: Purse) -> None:
        """Write what was taken from `purse` as holds; one statement."""
        rows = [
            store.Row(account_id=account_id, kind=EntryKind.HELD, available=-points, held=points, order_id=order_id)
            for order_id, account_id, points in purse.held()
        ]
        if rows:
            await store.enter(tx, rows, self._clock.now())

    async def spend(self, tx: Tx, order_ids: Sequence[UUID]) -> None:
        """End the holds of orders that are paid. Ended ones are left as they are; the caller has locked the orders."""
        await self._end(tx, order_ids, EntryKind.SPENT)

    async def release(self, tx: Tx, order_ids: Sequence[UUID]) -> None:
        """End the holds of orders that ended unpaid: their points can be spent again. As `spend` otherwise."""
        await self._end(tx, order_ids, EntryKind.RELEASED)

    async def _end(self, tx: Tx, order_ids: Sequence[UUID], kind: EntryKind) -> None:
        holds = await store.open_holds(tx, order_ids) if order_ids else []
        if not holds:
            return
        await store.lock(tx, {account_id for account_id, _, _ in holds})
        rows = [
            store.Row(
                account_id=account_id,
                kind=kind,
                available=points if kind is EntryKind.RELEASED else 0,
                held=-points,
                order_id=order_id,
            )
            for account_id, order_id, points in holds
        ]
        await store.enter(tx, rows, self._clock.now())

    async def earn(self, tx: Tx, earned: Sequence[Earned]) -> None:
        """Credit what paid orders earn; an order that was credited before is left alone."""
        earned = [each for each in earned if each.points]
        if not earned:
            return
        accounts = {each.account_id for each in earned}
        await store.open_accounts(tx, accounts)
        await store.lock(tx, accounts)
        before = await store.earning(tx, [each.order_id for each in earned])
        rows = {
            each.order_id: store.Row(
                account_id=each.account_id, kind=EntryKind.EARNED, available=each.points, order_id=each.order_id
            )
            for each in earned
            if each.order_id not in before
        }
        if rows:
            await store.enter(tx, list(rows.values()), self._clock.now())

    async def settle(self, tx: Tx, settled: Sequence[Settled]) -> None:
        """Bring refunded orders to where they stand in all; called again it changes nothing.

        Earned points that were spent meanwhile are not taken back: a balance is never negative.
        """
        settled = [each for each in settled if each.given_back or each.taken_back]
        if not settled:
            return
        available = await store.lock(tx, {each.account_id for each in settled})
        done = await store.settled(tx, [each.order_id for each in settled])
        rows = []
        for each in settled:
            back, gone = done.get(each.order_id, (0, 0))
            more = max(each.given_back - back, 0)
            there = available.get(each.account_id, 0) + more
            less = min(max(each.taken_back - gone, 0), there)
            available[each.account_id] = there - less
            moves = ((EntryKind.GIVEN_BACK, more), (EntryKind.TAKEN_BACK, -less))
            rows += [
                store.Row(account_id=each.account_id, kind=kind, available=points, order_id=each.order_id)
                for kind, points in moves
                if points
            ]
        if rows:
            await store.enter(tx, rows, self._clock.now())

    async def grant(
        self, tx: Tx, account_id: UUID, points: int, *, by: str, reason: str, after: int | None = None
    ) -> Balance:
        """Give a shopper points, for a stated reason.

        `after` is the last entry that was seen (0: none), so that one form never grants twice; None: none was looked
        at. Raises GrantNotValid, and PointsMoved where there is a later entry.
        """
        reason = reason.strip()
        if not 0 < points <= POINTS_MAX or not 0 < len(reason) <= REASON_LENGTH_MAX or not by:
            raise GrantNotValid(
                f"A grant is of 1 to {POINTS_MAX} points and has a reason of at most {REASON_LENGTH_MAX} characters. "
                "Nothing was granted."
            )
        await store.open_accounts(tx, [account_id])
        await store.lock(tx, [account_id])
        if after is not None and await store.last_entry(tx, account_id) != after:
            raise PointsMoved("These points moved after you looked. Nothing was granted. Look again, and grant then.")
        row = store.Row(account_id=account_id, kind=EntryKind.GRANTED, available=points, by=by, reason=reason)
        await store.enter(tx, [row], self._clock.now())
        return await store.balance(tx, account_id)

    async def balance(self, tx: Tx, account_id: UUID) -> Balance:
        """Return a shopper's balance."""
        return await store.balance(tx, account_id)

    async def entries(self, tx: Tx, account_id: UUID, limit: int = 50, offset: int = 0) -> list[Entry]:
        """Return a shopper's entries, newest first."""
        return await store.entries(tx, account_id, limit, offset)

    async def in_orders(self, tx: Tx, kind: EntryKind) -> OpenPoints:
        """Return the fingerprint of the points that orders hold (HELD) or spent (SPENT), to be compared with theirs."""
        return await store.in_orders(tx, kind)

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the invariants of points against the database, on one snapshot."""
        examined, unsettled = await store.unsettled(tx)
        unequal = await store.unequal(tx)
        return [
            Check(
                name="points: each balance is the sum of its entries",
                holds=not unsettled,
                examined=examined,
                detail=", ".join(map(str, unsettled)),
            ),
            Check(
                name="points: each order ends its hold as it was, and gives back and takes back no more than it moved",
                holds=not unequal,
                examined=examined,
                detail=", ".join(map(str, unequal)),
            ),
        ]
