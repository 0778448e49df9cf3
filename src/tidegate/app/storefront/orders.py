"""A shopper's orders: the list, one order with its whole story, paying it, giving it up."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import Parameter

from tidegate.app.pages.answer import PRIVATE, own_origin, see_other
from tidegate.app.storefront import cart
from tidegate.app.storefront.forms import read_form
from tidegate.app.storefront.visit import Asking, Visit
from tidegate.app.storefront.wording import Spoken, spoken
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.gate.queue.api import Queue
from tidegate.gate.queue.contracts import PLACE_COOKIE
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.pricing.contracts import CartLine
from tidegate.sale.draws.api import Draws
from tidegate.sale.draws.contracts import AwardState
from tidegate.sale.groups.api import Groups
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import Order, OrderState
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.contracts import AttemptState, IntentState, PaymentView, RefundState
from tidegate.sale.protection.api import Protection
from tidegate.sale.shortfall.api import Shortfalls
from tidegate.trust.identity.api import Identity, mask_phone
from tidegate.trust.identity.contracts import AddressId, SavedAddress

ORDERS_SHOWN = 20
_ENDED = frozenset({OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REFUNDED})


class Moment(msgspec.Struct, frozen=True):
    """Something that happened to an order; the template has the words for each kind."""

    kind: str
    at: datetime | None
    channel: str = ""
    reason: str = ""
    amount: int = 0


class OrderNow(msgspec.Struct, frozen=True):
    """What the page of an order asks for again and again: `mark` differs whenever the page would."""

    mark: str
    settled: bool


@get("/orders", include_in_schema=False)
async def orders(
    *,
    visit: Visit,
    ordering: Ordering,
    catalogue: Catalogue,
    identity: Identity,
    draws: Draws,
    db: Database,
    page: Annotated[int, Parameter(ge=1, le=500)] = 1,
) -> Response[bytes]:
    """My orders, newest first, below the prizes that wait to be claimed."""
    async with db.read() as tx:
        won = [each for each in await draws.prizes.won_by(tx, visit.account) if each.state is AwardState.UNCLAIMED]
        found = await ordering.orders_of(tx, visit.account, ORDERS_SHOWN + 1, (page - 1) * ORDERS_SHOWN)
        goods = await catalogue.goods_of(tx, [line.sku for order in found for line in order.priced.lines])
        me = await identity.account(tx, visit.account)
    shown, more = found[:ORDERS_SHOWN], len(found) > ORDERS_SHOWN
    waiting = [each for each in won if not each.is_late(visit.now)]
    return visit.personal("orders", orders=shown, more=more, page=page, goods=goods, me=me, waiting=waiting)


@get("/orders/{order_id:uuid}", include_in_schema=False)
async def order(order_desk: "OrderDesk", order_id: UUID) -> Response[bytes]:
    """One order: its state, what is to do, what it cost and why, and all that happened."""
    return await order_desk.show(order_id)


@get("/orders/{order_id:uuid}/now", include_in_schema=False)
async def order_now(
    visit: Visit, ordering: Ordering, payment: Payment, db: Database, order_id: UUID
) -> Response[OrderNow]:
    """Whether anything changed, for the page of the order."""
    async with db.read() as tx:
        found = await ordering.order(tx, order_id, visit.account)
        view = await payment.view(tx, order_id, deposit_id=found.deposit_id)
    return Response(_now(found, view), headers={"Cache-Control": PRIVATE})


@post("/orders/{order_id:uuid}/pay", include_in_schema=False, guards=[own_origin])
async def pay(
    request: Asking, visit: Visit, payment: Payment, order_desk: "OrderDesk", order_id: UUID
) -> Response[bytes]:
    """Pay, by the channel that was chosen or the best one. The outcome is on the order's page."""
    form = await read_form(request)
    try:
        await payment.pay_order(order_id, visit.account, form.text("channel", 32) or None)
    except Refusal as refusal:
        return await order_desk.show(order_id, spoken(refusal), refusal.status)
    return see_other(f"/orders/{order_id}")


@post("/orders/{order_id:uuid}/cancel", include_in_schema=False, guards=[own_origin])
async def cancel(
    visit: Visit, ordering: Ordering, db: Database, order_desk: "OrderDesk", order_id: UUID
) -> Response[bytes]:
    """Give the order up: an unpaid one ends at once, a paid one is refunded in full."""
    try:
        async with db.transaction() as tx:
            await ordering.cancel(tx, order_id, visit.account, reason="asked by the shopper")
    except Refusal as refusal:
        return await order_desk.show(order_id, spoken(refusal), refusal.status)
    return see_other(f"/orders/{order_id}")


@post("/orders/{order_id:uuid}/shortfalls/{line_id:uuid}/decline", include_in_schema=False, guards=[own_origin])
async def decline_later(
    visit: Visit, shortfalls: Shortfalls, db: Database, order_desk: "OrderDesk", order_id: UUID, line_id: UUID
) -> Response[bytes]:
    """Give back what would come later: the money goes back."""
    try:
        async with db.transaction() as tx:
            await shortfalls.decline(tx, order_id, visit.account, line_id)
    except Refusal as refusal:
        return await order_desk.show(order_id, spoken(refusal), refusal.status)
    return see_other(f"/orders/{order_id}")


class OrderDesk:
    """Shows one order to its buyer."""

    def __init__(
        self,
        *,
        visit: Visit,
        ordering: Ordering,
        groups: Groups,
        payment: Payment,
        catalogue: Catalogue,
        identity: Identity,
        protection: Protection,
        shortfalls: Shortfalls,
        draws: Draws,
        queue: Queue,
        db: Database,
    ) -> None:
        self._draws = draws
        self._visit = visit
        self._queue = queue
        self._protection = protection
        self._shortfalls = shortfalls
        self._ordering = ordering
        self._groups = groups
        self._payment = payment
        self._catalogue = catalogue
        self._identity = identity
        self._db = db

    async def show(self, order_id: UUID, trouble: Spoken | None = None, status: int = 200) -> Response[bytes]:
        """Return the order's page. Raises OrderUnknown for anyone else's order."""
        account = self._visit.account
        async with self._db.read() as tx:
            order = await self._ordering.order(tx, order_id, account)
            payment = await self._payment.view(tx, order_id, deposit_id=order.deposit_id)
            channels = await self._payment.channels(tx)
            goods = await self._catalogue.goods_of(tx, _skus(order))
            addresses = await self._identity.addresses(tx, account)
            group_id = await self._groups.group_of_order(tx, order_id)
            refunds = await self._ordering.refunds_of(tx, order_id)
            shortfalls = await self._shortfalls.lines_of(tx, order_id)
            is_paid = order.state is OrderState.PAID
            look = await self._protection.look(tx, order_id, account) if is_paid else None
            won = [each for each in await self._draws.prizes.won_by(tx, account) if each.order_id == order_id]
        return self._visit.personal(
            "order",
            status=status,
            order=order,
            payment=payment,
            channels=[channel.name for channel in channels],
            goods=goods,
            address=_address(addresses, AddressId(order.address_id)),
            story=story(order, payment),
            group_id=group_id,
            refunds=refunds,
            shortfalls=shortfalls,
            not_back=order.total - sum(refund.amount for refund in refunds),
            on_its_way=sum(refund.amount for refund in refunds if refund.confirmed_at is None),
            look=look,
            won=won,
            in_line=self._queue.is_place_of(self._visit.cookie(PLACE_COOKIE), account, order.campaign_id),
            now_state=_now(order, payment),
            trouble=trouble,
            again=_again(order),
            mask_phone=mask_phone,
        )


def _again(order: Order) -> str:
    """Return what puts all of an order in the cart once more; empty where it is one product."""
    lines = [CartLine(line.sku, line.quantity - line.gifts) for line in order.priced.lines]
    bought = [line for line in lines if line.quantity > 0]
    return cart.write(bought) if 1 < len(bought) <= cart.LINES_MAX else ""


def open_order_desk(
    *,
    visit: Visit,
    ordering: Ordering,
    groups: Groups,
    payment: Payment,
    catalogue: Catalogue,
    identity: Identity,
    protection: Protection,
    shortfalls: Shortfalls,
    draws: Draws,
    queue: Queue,
    db: Database,
) -> OrderDesk:
    """Dependency `order_desk`."""
    return OrderDesk(
        visit=visit,
        ordering=ordering,
        groups=groups,
        payment=payment,
        catalogue=catalogue,
        identity=identity,
        protection=protection,
        shortfalls=shortfalls,
        draws=draws,
        queue=queue,
        db=db,
    )


def _skus(order: Order) -> list[str]:
    """Return the goods that an order's page names: those ordered, and the gifts that were gone."""
    return [*(line.sku for line in order.priced.lines), *order.priced.gifts_left_off]


def _address(addresses: list[SavedAddress], wanted: AddressId) -> SavedAddress | None:
    """Return the order's address, or None where the shopper has removed it from the address book since."""
    return next((each for each in addresses if each.address_id == wanted), None)


def _now(order: Order, payment: PaymentView) -> OrderNow:
    attempts = ".".join(attempt.state for attempt in payment.attempts)
    refunds = ".".join(refund.state for refund in payment.refunds)
    counted = payment.refunded == order.refunded  # the order hears of a confirmed refund a moment later
    waiting = not counted or any(refund.state is RefundState.REQUESTED for refund in payment.refunds)
    captured_late = payment.state is IntentState.CAPTURED and order.state is OrderState.PLACED
    settled = (order.state in _ENDED or order.state is OrderState.PAID) and not waiting and not captured_late
    return OrderNow(f"{order.state}/{payment.state}/{attempts}/{refunds}/{order.refunded}", settled)


def story(order: Order, payment: PaymentView) -> list[Moment]:
    """Return all that happened to an order, in order of time."""
    moments = [Moment("placed", order.placed_at)]
    moments += [
        Moment(f"attempt-{each.state}", each.started_at, each.channel, each.reason)
        for each in payment.attempts
        if each.state is not AttemptState.CAPTURED
    ]
    if order.paid_at:
        moments.append(Moment("paid", order.paid_at, payment.channel, amount=order.total))
    for refund in payment.refunds:
        moments.append(Moment("refund-asked", refund.requested_at, amount=refund.amount))
        if refund.state is RefundState.CONFIRMED:
            moments.append(Moment("refund-done", refund.ended_at, amount=refund.amount))
    if order.state in {OrderState.CANCELLED, OrderState.EXPIRED}:
        moments.append(Moment(order.state.value, order.ended_at))
    return sorted(moments, key=lambda moment: moment.at or order.placed_at)


routes = [orders, order, order_now, pay, cancel, decline_later]
