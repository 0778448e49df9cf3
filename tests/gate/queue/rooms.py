"""A festival with a waiting room, its line opened and moved on by hand, and shoppers who stand in it."""

from datetime import timedelta

import msgspec

from tests.offer.festivals import START, definition, offer
from tests.sale.shop import Buyer, order, publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.queue.contracts import AskPlace, Entered, Place, PlaceFacts, Waiting
from tidegate.offer.campaign.contracts import Audience, CampaignDefinition, GuardedGoods, QueueLane, WaitingRoom, Words
from tidegate.sale.ordering.contracts import Placed
from tidegate.trust.identity.contracts import Session

EVERYONE = QueueLane(name="everyone", label=Words("所有人", "Everyone"), share=100, audience=Audience.EVERYONE)
ROOM = WaitingRoom(
    opens_at=START - timedelta(minutes=30),
    seals_at=START - timedelta(minutes=1),
    cap=5,
    per_minute=600,
    ramp_seconds=0,
    claim_seconds=60,
    pass_seconds=300,
    purchases=1,
    per_network=0,
    goods=GuardedGoods.EVERYTHING,
    lanes=(EVERYONE,),
)


class Shopper(msgspec.Struct, frozen=True):
    """Somebody signed in, with an address."""

    session: Session
    buyer: Buyer


async def opened_room(app: App, clock: ManualClock, *, quota: int = 100, **changes: object) -> CampaignDefinition:
    """Publish a festival whose waiting room has these settings, and open its line."""
    room = msgspec.structs.replace(ROOM, **changes)
    festival = msgspec.structs.replace(definition([offer("A", quota=quota, per_buyer=0)]), waiting_room=room)
    await publish(app, festival)
    clock.advance(seconds=(room.opens_at - clock.now()).total_seconds())
    await tick(app, clock, seconds=0)
    return festival


async def shoppers(app: App, count: int) -> list[Shopper]:
    """Open so many shoppers."""
    async with app.db.transaction() as tx:
        opened = await app.identity.open_rehearsal_accounts(tx, count)
    return [
        Shopper(each.session, Buyer(each.session.account_id, each.address_id, each.session.token)) for each in opened
    ]


async def tick(app: App, clock: ManualClock, *, seconds: float = 1) -> None:
    """Let time pass, move the line on, and let this process read it."""
    clock.advance(seconds=seconds)
    await app.queue.step()
    await app.queue.renew()


async def to_the_opening(app: App, clock: ManualClock) -> None:
    """Pass the sealing and the opening."""
    for moment in (ROOM.seals_at, START):
        await tick(app, clock, seconds=(moment - clock.now()).total_seconds())


async def stand(app: App, shopper: Shopper, network: str | None = None, *, slow: bool = False) -> Place:
    """Take a place."""
    session = shopper.session
    return await app.queue.take_place(
        AskPlace(account_id=session.account_id, device=session.session_id, network=network, slow=slow)
    )


def facts(app: App, shopper: Shopper, place: Place) -> PlaceFacts:
    """Check a shopper's place."""
    return app.queue.check_place(place.token, shopper.session.account_id, shopper.session.session_id)


async def beat(app: App, shopper: Shopper, place: Place) -> None:
    """Give a sign of life, and write it."""
    app.queue.beat(facts(app, shopper, place))
    await app.queue.write_signs()


async def enter(app: App, shopper: Shopper, place: Place) -> Entered | Waiting:
    """Ask to be let in."""
    return await app.queue.enter(facts(app, shopper, place))


async def buy(app: App, shopper: Shopper, key: str = "order-000001") -> Placed:
    """Order one unit."""
    return await app.ordering.place(shopper.buyer.account_id, key, order(shopper.buyer, {"A": 1}, 8_000))
