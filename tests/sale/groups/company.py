"""A festival that sells a kettle to groups, and what people do with groups in it."""

import asyncio
from uuid import UUID

import msgspec

from tests.offer.festivals import definition, goods, offer
from tests.sale.shop import Buyer, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import CampaignDefinition, GroupBuy, Shipping
from tidegate.sale.groups.contracts import GroupView, Joined, JoinGroup, OpenGroup
from tidegate.sale.ordering.contracts import Order, OrderFilter, OrderState
from tidegate.sale.payment.contracts import IntentState

CAMPAIGN = "double-11"
SKU = "KTL-G"
PRICE = 5_900
HOUR = 3_600


def festival(**changes: int) -> CampaignDefinition:
    """One kettle on ordinary offer, and one for groups of three within 24 hours."""
    wanted = {"price": PRICE, "size": 3, "fill_seconds": 24 * HOUR, "quota": 300, "per_buyer": 0} | changes
    plain = definition([offer("A")], entries=[goods("A"), goods(SKU)], shipping=Shipping(fee=0, free_from=None))
    return msgspec.structs.replace(plain, group_buys=(GroupBuy(sku=SKU, **wanted),))


async def opened(app: App, **changes: int) -> None:
    """Publish that festival."""
    await publish(app, festival(**changes))


async def found(app: App, buyer: Buyer, key: str = "group-key-1", *, quantity: int = 1) -> Joined:
    """Open a group."""
    command = OpenGroup(sku=SKU, address_id=buyer.address_id, expected_total=PRICE * quantity, quantity=quantity)
    return await app.groups.open(buyer.account_id, key, command)


async def join(app: App, group_id: UUID, buyer: Buyer, key: str = "group-key-1", *, quantity: int = 1) -> Joined:
    """Join a group."""
    command = JoinGroup(address_id=buyer.address_id, expected_total=PRICE * quantity, quantity=quantity)
    return await app.groups.join(buyer.account_id, key, group_id, command)


async def pay(app: App, buyer: Buyer, joined: Joined) -> None:
    """Pay the order of a seat, and let everybody hear of it."""
    view = await app.payment.pay(joined.order.order_id, buyer.account_id)
    assert view.state is IntentState.CAPTURED
    await deliver(app)


async def deliver(app: App) -> None:
    """Carry all events to their subscribers, as the worker does."""
    while not await app.outbox.drained(app.db):
        for name in app.outbox.subscribers:
            await app.outbox.deliver(app.db, name)


async def refunds_arrive(app: App, clock: ManualClock) -> None:
    """Let the worker send what is owed until the channels have confirmed it."""
    for _ in range(60):
        await app.payment.send_refunds_due()
        await deliver(app)
        async with app.db.read() as tx:
            waiting = await app.ordering.find(tx, _refunding())
        if waiting.count == 0:
            return
        clock.advance(seconds=5)
        await asyncio.sleep(0.05)
    raise AssertionError("refunds do not arrive")


async def view(app: App, group_id: UUID, reader: Buyer | None = None) -> GroupView:
    """The group as its page shows it."""
    async with app.db.read() as tx:
        return await app.groups.view(tx, group_id, reader.account_id if reader else None)


async def order_of(app: App, joined: Joined) -> Order:
    """The order of a seat."""
    async with app.db.read() as tx:
        return await app.ordering.order(tx, joined.order.order_id)


def _refunding() -> OrderFilter:
    return OrderFilter(state=OrderState.REFUNDING, limit=1)
