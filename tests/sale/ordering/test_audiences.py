"""For whom a lane is: members by an import, new and returning by what was paid here before."""

from datetime import timedelta

import msgspec
import pytest

from tests.gate.queue.rooms import EVERYONE, ROOM, facts, shoppers, stand, tick
from tests.offer.festivals import START, definition, offer
from tests.sale.ordering.test_life import paid, placed
from tests.sale.shop import publish
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.offer.campaign.contracts import Audience, QueueLane, Words

LANES = (
    QueueLane(name="members", label=Words("会员", "Members"), share=30, audience=Audience.MEMBERS),
    QueueLane(name="new", label=Words("新客", "New"), share=20, audience=Audience.NEW),
    QueueLane(name="returning", label=Words("老客", "Returning"), share=20, audience=Audience.RETURNING),
    msgspec.structs.replace(EVERYONE, share=30),
)


async def _make_member(app: App, account: object) -> None:
    """Make a simulated shopper a member: their numbers cannot be imported, for no telephone has them."""
    async with app.db.transaction() as tx:
        await tx.execute(
            "insert into identity.member (phone_index, tier, set_at)"
            " select phone_index, 'gold', now() from identity.account where account_id = %s",
            [account],
        )


@pytest.mark.parametrize("lanes", [LANES, (LANES[2], msgspec.structs.replace(EVERYONE, share=80))])
async def test_the_first_lane_that_fits_is_taken_and_kept(
    shop: App, clock: ManualClock, lanes: tuple[QueueLane, ...]
) -> None:
    await publish(shop, definition([offer("A", quota=9, per_buyer=0)]))
    member, fresh, regular, tried = await shoppers(shop, 4)
    await _make_member(shop, member.session.account_id)
    await paid(shop, regular.buyer, {"A": 1}, 8_000)
    await placed(shop, tried.buyer, {"A": 1}, 8_000)  # not paid: still new
    clock.advance(seconds=-600)
    room = msgspec.structs.replace(
        ROOM, lanes=lanes, opens_at=START - timedelta(hours=1), seals_at=START - timedelta(seconds=30)
    )
    festival = definition([offer("A", quota=9, per_buyer=0)])
    await publish(shop, msgspec.structs.replace(festival, waiting_room=room))
    await tick(shop, clock)
    crowd = [member, fresh, regular, tried]
    found = [(await stand(shop, each)).lane for each in crowd]
    known = {lane.name for lane in lanes}
    wanted = ["members", "new", "returning", "new"]
    assert found == [each if each in known else "everyone" for each in wanted]
    await _make_member(shop, fresh.session.account_id)
    again = await stand(shop, fresh)
    assert again.lane == found[1]  # who becomes a member later keeps the place
    await tick(shop, clock)
    assert shop.queue.view(facts(shop, fresh, again)).lane == found[1]
    async with shop.db.read() as tx:
        assert (await shop.queue.receipt(tx, facts(shop, fresh, again))).lane == found[1]
