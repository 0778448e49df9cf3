"""What can be done with groups. Opening and joining take a seat, then place an order; the rest follows the orders."""

import re
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.base.http import KEY_PATTERN
from tidegate.base.ids import Ids
from tidegate.base.invariant import Check
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import GroupBuy
from tidegate.offer.pricing.api import Pricing
from tidegate.offer.pricing.contracts import Cart, CartLine, Facts, PricedOrder
from tidegate.sale.groups import rules, store, store_looks
from tidegate.sale.groups.contracts import (
    Group,
    GroupFilter,
    GroupOffer,
    GroupPage,
    GroupState,
    GroupTotals,
    GroupView,
    Joined,
    JoinGroup,
    OpenGroup,
    Seat,
    SeatState,
    SeatView,
)
from tidegate.sale.groups.errors import AlreadyInGroup, GroupEnded, GroupFull, GroupUnknown, NotSoldToGroups
from tidegate.sale.groups.following import Following
from tidegate.sale.groups.settling import Settlement
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import (
    OrderLine,
    OrderPaid,
    OrderState,
    Placed,
    PlaceOrder,
)
from tidegate.sale.ordering.errors import KeyMalformed, KeyReused, PriceChanged
from tidegate.sale.stock.api import Stock

_key = re.compile(KEY_PATTERN, re.ASCII)
_MINE_MAX = 50
_EXAMINED_MAX = 1_000
_OVERDUE = timedelta(seconds=60)


class Groups:
    """Groups from opening to their end."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        ids: Ids,
        outbox: Outbox,
        campaign: Campaign,
        pricing: Pricing,
        stock: Stock,
        ordering: Ordering,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._campaign = campaign
        self._pricing = pricing
        self._stock = stock
        self._ordering = ordering
        self._following = Following(db, clock, campaign, ordering, Settlement(outbox, ordering))

    # Opening and joining

    def price(self, sku: str, quantity: int, buyer_id: UUID | None = None) -> PricedOrder:
        """Return what so many units cost in a group; no I/O. Raises NotSoldToGroups and pricing's refusals."""
        self._group_buy(sku)
        cart = Cart((CartLine(sku, quantity),))
        return self._pricing.price_for_group(cart, Facts(buyer=buyer_id, now=self._clock.now()))

    async def open(self, buyer_id: UUID, key: str, command: OpenGroup, *, session_id: UUID | None = None) -> Joined:
        """Open a group with the buyer's own seat in it, and place the seat's order; the same answer for the same key.

        Raises NotSoldToGroups, and what `Ordering.place` raises; then there is no group.
        """
        join = JoinGroup(
            address_id=command.address_id, expected_total=command.expected_total, quantity=command.quantity
        )
        _require_key(key)
        async with self._db.transaction() as tx:
            seat = await store.seat_by_key(tx, buyer_id, key) or await self._opened(tx, buyer_id, key, command)
        return await self._ordered(seat, command.sku, join, session_id)

    async def _opened(self, tx: Tx, buyer_id: UUID, key: str, command: OpenGroup) -> Seat:
        self._require_price(command.sku, command.quantity, buyer_id, command.expected_total)
        group = self._new_group(self._group_buy(command.sku))
        await store.insert_group(tx, group)
        return await self._seat(tx, self._new_seat(group.group_id, buyer_id, key, command.quantity))

    async def _seat(self, tx: Tx, wanted: Seat) -> Seat:
        """Take a seat in a locked group; or return the one that was taken under its key at the same moment."""
        if await store.insert_seat(tx, wanted):
            return wanted
        await store.drop_empty(tx, wanted.group_id)
        earlier = await store.seat_by_key(tx, wanted.buyer_id, wanted.key)
        assert earlier is not None, "the key was in the way"
        return earlier

    async def join(
        self, buyer_id: UUID, key: str, group_id: UUID, command: JoinGroup, *, session_id: UUID | None = None
    ) -> Joined:
        """Take a seat in a group and place its order; the same answer for the same key.

        Raises GroupUnknown, GroupEnded, GroupFull, AlreadyInGroup, NotSoldToGroups, and what `Ordering.place` raises;
        then the seat is free.
        """
        _require_key(key)
        async with self._db.transaction() as tx:
            group = _known(await store.lock_group(tx, group_id), group_id)
            seat = await store.seat_by_key(tx, buyer_id, key)
            if seat is None:
                wanted = self._new_seat(group_id, buyer_id, key, command.quantity)
                await self._require_place(tx, group, wanted)
                self._require_price(group.sku, command.quantity, buyer_id, command.expected_total)
                seat = await self._seat(tx, wanted)
        if seat.group_id != group_id:
            raise _reused(seat)
        return await self._ordered(seat, group.sku, command, session_id)

    async def _require_place(self, tx: Tx, group: Group, wanted: Seat) -> None:
        if group.state is not GroupState.FORMING or self._clock.now() >= group.fills_by:
            raise _ended(group)
        for seat in await store.seats(tx, group.group_id):
            if seat.buyer_id == wanted.buyer_id and seat.state in rules.HELD:
                raise AlreadyInGroup(
                    "You have a place in this group already. Nothing was ordered. "
                    "Share the group's link with others, or open a group of your own.",
                    order_id=seat.order_id,
                )
        if group.places_left < 1:
            raise GroupFull(
                f"All {group.size} places of this group are taken. Nothing was ordered. "
                "A place that is not paid in time comes back; or open a group of your own.",
                unpaid=group.taken - group.paid,
            )

    async def _ordered(self, seat: Seat, sku: str, command: JoinGroup, session_id: UUID | None) -> Joined:
        """Place the order of a seat and bind it; where it is refused the seat is free again."""
        if seat.quantity != command.quantity:
            raise _reused(seat)
        order = PlaceOrder(
            lines=(OrderLine(sku, seat.quantity),),
            address_id=command.address_id,
            expected_total=command.expected_total,
        )
        try:
            placed = await self._ordering.place(
                seat.buyer_id,
                rules.seat_key(seat.seat_id),
                order,
                session_id=session_id,
                price=self._pricing.price_for_group,
            )
        except Refusal as refusal:
            # What the shop could not answer may have happened all the same: that seat is looked at again later.
            if refusal.status < 500:
                await self._following.drop(seat)
            raise
        return await self._bound(seat, placed)

    async def _bound(self, seat: Seat, placed: Placed) -> Joined:
        async with self._db.transaction() as tx:
            kept = await self._following.bind(tx, seat, placed.order_id)
        if not kept:
            raise GroupEnded(
                "Ordering took too long, and your place in the group was given up. Nothing is charged. Join again.",
                state=GroupState.FAILED,
            )
        return Joined(group_id=seat.group_id, order=placed)

    # What happens by itself

    def subscribe(self, outbox: Outbox) -> None:
        """Hear what becomes of orders."""
        self._following.subscribe(outbox)

    async def end_due(self) -> int:
        """End groups whose time is over; return how many. The worker repeats it."""
        return await self._following.end_due()

    async def tidy(self) -> int:
        """Mend what a process that died left behind; return how many seats and groups that were. Repeated too."""
        return await self._following.tidy()

    # Looking

    def offers(self) -> list[GroupOffer]:
        """Return what the current campaign sells to groups, in the order of its definition; no I/O, nothing of left."""
        current = self._campaign.current()
        if current is None:
            return []
        definition = current.definition
        goods = {entry.sku: entry for entry in definition.goods}
        return [
            GroupOffer(
                sku=each.sku,
                price=each.price,
                list_price=goods[each.sku].list_price,
                currency=definition.currency,
                size=each.size,
                fill_seconds=each.fill_seconds,
                quota=each.quota,
                per_buyer=each.per_buyer,
            )
            for each in definition.group_buys
        ]

    async def on_sale(self, tx: Tx) -> list[GroupOffer]:
        """Return what is sold to groups with the units left and the groups that are forming."""
        offers, current = self.offers(), self._campaign.current()
        if not offers or current is None:
            return []
        levels = await self._stock.levels(tx, current.campaign_id, [each.sku for each in offers])
        forming = await store_looks.forming(tx, current.campaign_id)
        return [
            msgspec.structs.replace(
                each, left=levels[each.sku].free if each.sku in levels else 0, forming=forming.get(each.sku, 0)
            )
            for each in offers
        ]

    async def view(self, tx: Tx, group_id: UUID, reader: UUID | None = None) -> GroupView:
        """Return a group as whoever has its link may see it; `reader` sees which seat is his. Raises GroupUnknown."""
        group = _known(await store_looks.group(tx, group_id), group_id)
        seats = [seat for seat in await store.seats(tx, group_id) if seat.state is not SeatState.LEFT]
        mine = next((seat for seat in seats if reader is not None and seat.buyer_id == reader), None)
        return GroupView(
            group=group,
            places_left=group.places_left if group.state is GroupState.FORMING else 0,
            seats=tuple(SeatView(state=seat.state, taken_at=seat.taken_at, mine=seat is mine) for seat in seats),
            order_id=mine.order_id if mine else None,
        )

    async def groups_of(self, tx: Tx, buyer_id: UUID) -> list[tuple[Group, Seat]]:
        """Return a buyer's last 50 groups, newest first, each with his seat."""
        return await store_looks.groups_of(tx, buyer_id, _MINE_MAX)

    async def seats(self, tx: Tx, group_id: UUID) -> list[Seat]:
        """Return all seats of a group that ever had an order, for staff, in the order of taking."""
        return await store.seats(tx, group_id)

    async def group_of_order(self, tx: Tx, order_id: UUID) -> UUID | None:
        """Return the group that an order belongs to, if any."""
        return (await store.groups_of_orders(tx, [order_id])).get(order_id)

    async def placed_in_groups(self, tx: Tx, paid: Sequence[OrderPaid]) -> set[UUID]:
        """Return those of the paid orders that were placed for a place in a group, whatever becomes of it."""
        return await self._following.placed_in_groups(tx, paid)

    async def waiting(self, tx: Tx, order_ids: Sequence[UUID]) -> set[UUID]:
        """Return those of the orders whose fulfilment must wait or never comes: their seat is not confirmed."""
        return await store_looks.waiting(tx, order_ids)

    async def find(self, tx: Tx, asked: GroupFilter) -> GroupPage:
        """Return a page of groups for staff."""
        return await store_looks.find(tx, asked)

    async def totals(self, tx: Tx, campaign_id: str) -> list[GroupTotals]:
        """Return what became of a campaign's groups, by product."""
        return await store_looks.totals(tx, campaign_id)

    async def check(self, tx: Tx) -> list[Check]:
        """Hold the invariants of group buying against the database, on one snapshot."""
        examined, broken = await store_looks.broken(tx)
        overdue = await store_looks.overdue(tx, self._clock.now() - _OVERDUE)
        seats = dict(await store_looks.settled(tx, _EXAMINED_MAX))
        states = await self._ordering.states(tx, list(seats))
        wrong = [str(each) for each, seat in seats.items() if states.get(each) not in _FITS[SeatState(seat)]]
        return [
            Check(
                name="groups: seats agree with counts; a filled group has all its seats confirmed, any other none",
                holds=not broken,
                examined=examined,
                detail=", ".join(map(str, broken)),
            ),
            Check(
                name="groups: confirmed seats were paid, and those of failed groups are refunded",
                holds=not wrong,
                examined=len(seats),
                detail=", ".join(wrong[:5]),
            ),
            Check(
                name="groups: each ends within a minute of its time",
                holds=overdue == 0,
                examined=examined,
                detail=f"{overdue} groups wait" if overdue else "",
            ),
        ]

    # Making

    def _group_buy(self, sku: str) -> GroupBuy:
        current = self._campaign.current()
        found = next((each for each in current.definition.group_buys if each.sku == sku), None) if current else None
        if found is None:
            raise NotSoldToGroups(
                f"{sku} is not sold to groups in this campaign. Nothing was ordered. Look at what is.", sku=sku
            )
        return found

    def _require_price(self, sku: str, quantity: int, buyer_id: UUID, expected_total: int) -> None:
        """Refuse before anything is written what would be refused afterwards anyhow."""
        total = self.price(sku, quantity, buyer_id).total
        if total != expected_total:
            raise PriceChanged(
                "The price is not the one that you were shown. Nothing was ordered. "
                "Look at the new price and order again.",
                total=total,
                expected_total=expected_total,
            )

    def _new_group(self, group_buy: GroupBuy) -> Group:
        now, closes_at = self._clock.now(), self._pricing.rules.closes_at
        return Group(
            group_id=self._ids.new(),
            campaign_id=self._pricing.rules.campaign_id,
            sku=group_buy.sku,
            size=group_buy.size,
            state=GroupState.FORMING,
            taken=0,
            paid=0,
            opened_at=now,
            fills_by=rules.fills_by(now, group_buy.fill_seconds, closes_at),
            ended_at=None,
        )

    def _new_seat(self, group_id: UUID, buyer_id: UUID, key: str, quantity: int) -> Seat:
        return Seat(
            seat_id=self._ids.new(),
            group_id=group_id,
            buyer_id=buyer_id,
            key=key,
            quantity=quantity,
            order_id=None,
            state=SeatState.TAKEN,
            taken_at=self._clock.now(),
        )


_FITS = {
    SeatState.CONFIRMED: {OrderState.PAID, OrderState.REFUNDING, OrderState.REFUNDED},
    SeatState.REFUNDED: {OrderState.REFUNDING, OrderState.REFUNDED},
}


def _require_key(key: str) -> None:
    if not _key.match(key):
        raise KeyMalformed(
            "The header Idempotency-Key must be 8 to 64 letters, digits, hyphens or underscores, "
            "new for each place in a group and the same when it is asked for again. Nothing was ordered."
        )


def _known(group: Group | None, group_id: UUID) -> Group:
    if group is None:
        raise GroupUnknown("There is no such group. Nothing was ordered. Check the link.", group_id=group_id)
    return group


def _ended(group: Group) -> GroupEnded:
    words = {
        GroupState.FILLED: "This group is filled",
        GroupState.FAILED: "This group was not filled in time",
        GroupState.FORMING: "The time of this group is over",
    }
    return GroupEnded(
        f"{words[group.state]}. Nothing was ordered. Open a group of your own, or join another.", state=group.state
    )


def _reused(seat: Seat) -> KeyReused:
    return KeyReused(
        "This idempotency key belongs to another place in a group. "
        "Nothing was ordered. Send the first request again, or use a new key.",
        order_id=seat.order_id,
    )
