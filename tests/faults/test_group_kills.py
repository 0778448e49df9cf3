"""Kill -9 of worker, database and channel while groups fill and fail: all of a group or none, each refunded once."""

import asyncio
import os
import random
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec
import pytest

from tests.faults.flood import channel_totals, kill, settings
from tests.faults.killing import LOST, again
from tests.sale.groups.company import PRICE, found, join
from tests.sale.groups.company import festival as group_festival
from tests.sale.shop import Buyer, broken, buyers
from tidegate.app.compose import App, opened
from tidegate.app.publication import PublicationDesk
from tidegate.app.supervisor import Supervisor, festival
from tidegate.sale.groups.contracts import GroupState, Joined, SeatState
from tidegate.sale.ordering.contracts import OrderState
from tidegate.sale.payment.contracts import IntentState
from tidegate.sale.payment.errors import IntentNotPayable, NoChannelAvailable

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flood")]

FULL, SHORT, SIZE = 6, 6, 3
FILL_SECONDS = 30
VICTIMS = ("worker", "postgres", "worker", "harbour", "postgres", "worker")
DRAIN_SECONDS = 60


async def test_no_kill_confirms_a_part_of_a_group_or_refunds_anybody_twice() -> None:
    seed = int(os.environ.get("TIDEGATE_TEST_SEED") or random.randrange(10**6))
    print(f"TIDEGATE_TEST_SEED={seed}")
    with settings(TIDEGATE_HOLD_SECONDS="600") as config:
        async with festival(config) as supervisor, opened(supervisor.config) as app:
            await _publish(app)
            groups = await _open_all(app, await buyers(app, (FULL + SHORT) * SIZE))
            paying = asyncio.create_task(_pay_all(app, groups))
            killed = await _kill_at_random(supervisor, random.Random(seed))
            await asyncio.wait_for(paying, 60)
            await _drained(app, [group[0][1].group_id for group in groups])
            assert sorted(killed) == sorted(VICTIMS)
            refunded = await _all_or_none(app, groups)
            assert refunded == SHORT * (SIZE - 1) * PRICE
            await _channels_agree(supervisor, refunded)
            assert await broken(app) == []


async def _publish(app: App) -> None:
    definition = group_festival(size=SIZE, fill_seconds=FILL_SECONDS)
    shift = datetime.now(UTC) - timedelta(hours=1) - definition.phases[2].starts_at
    phases = tuple(
        msgspec.structs.replace(phase, starts_at=phase.starts_at + shift, ends_at=phase.ends_at + shift)
        for phase in definition.phases
    )
    await PublicationDesk(app).publish(msgspec.structs.replace(definition, phases=phases, rate_limits=()), "test")
    await app.refresh()


async def _open_all(app: App, people: list[Buyer]) -> list[list[tuple[Buyer, Joined]]]:
    """Open every group and take its places: all of those that fill, and all but one of those that do not."""
    groups = []
    for number in range(FULL + SHORT):
        members = people[number * SIZE : (number + 1) * SIZE]
        first = await found(app, members[0])
        rest = members[1:] if number < FULL else members[1 : SIZE - 1]
        groups.append([(members[0], first), *[(each, await join(app, first.group_id, each)) for each in rest]])
    return groups


async def _pay_all(app: App, groups: list[list[tuple[Buyer, Joined]]]) -> None:
    for group in groups:
        for buyer, joined in group:
            await again(partial(_pay, app, buyer, joined), (*LOST, NoChannelAvailable))


async def _pay(app: App, buyer: Buyer, joined: Joined) -> None:
    """Pay until it is captured; the money may have been taken by a try whose answer was lost."""
    for _ in range(200):
        try:
            if (await app.payment.pay(joined.order.order_id, buyer.account_id)).state is IntentState.CAPTURED:
                return
        except IntentNotPayable:
            async with app.db.read() as tx:
                if (await app.payment.view(tx, joined.order.order_id)).state is IntentState.CAPTURED:
                    return
            raise
        await asyncio.sleep(0.1)
    raise AssertionError("the payment is never captured")


async def _kill_at_random(supervisor: Supervisor, chance: random.Random) -> list[str]:
    """Kill everyone of the list, spread over the payments, the end of the groups' time and the refunds."""
    plan = list(VICTIMS)
    chance.shuffle(plan)
    for victim in plan:
        await asyncio.sleep(chance.uniform(4, 7))
        while not kill(supervisor, victim):
            await asyncio.sleep(0.1)
    return plan


async def _drained(app: App, group_ids: list[UUID]) -> None:
    """Wait until every group has ended, every event arrived and no refund is under way."""
    until = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < until:
        async with app.db.read() as tx:
            seen = [await app.groups.view(tx, each) for each in group_ids]
            orders = await app.ordering.states(tx, await _orders(app, group_ids))
        over = all(each.group.state is not GroupState.FORMING for each in seen)
        if over and OrderState.REFUNDING not in orders.values() and await app.outbox.drained(app.db):
            return
        await asyncio.sleep(0.5)
    raise AssertionError(f"after {DRAIN_SECONDS} s groups or refunds still wait")


async def _orders(app: App, group_ids: list[UUID]) -> list[UUID]:
    async with app.db.read() as tx:
        rows = await tx.execute("select order_id from groups.seat where group_id = any(%s)", [group_ids])
        return [row[0] for row in await rows.fetchall()]


async def _all_or_none(app: App, groups: list[list[tuple[Buyer, Joined]]]) -> int:
    """Check every group as a whole; return what was refunded in all, in minor units."""
    refunded = 0
    for number, members in enumerate(groups):
        async with app.db.read() as tx:
            seen = await app.groups.view(tx, members[0][1].group_id)
            orders = [await app.ordering.order(tx, joined.order.order_id) for _, joined in members]
            refunds = [await app.ordering.refunds_of(tx, joined.order.order_id) for _, joined in members]
        if number < FULL:
            assert (seen.group.state, {seat.state for seat in seen.seats}) == (
                GroupState.FILLED,
                {SeatState.CONFIRMED},
            )
            assert {order.state for order in orders} == {OrderState.PAID}
            assert refunds == [[]] * SIZE
        else:
            assert (seen.group.state, {seat.state for seat in seen.seats}) == (GroupState.FAILED, {SeatState.REFUNDED})
            assert {(order.state, order.refunded) for order in orders} == {(OrderState.REFUNDED, PRICE)}
            assert [[refund.amount for refund in each] for each in refunds] == [[PRICE]] * (SIZE - 1)
        refunded += sum(order.refunded for order in orders)
    return refunded


async def _channels_agree(supervisor: Supervisor, refunded: int) -> None:
    """What the channels themselves say that they took and gave back."""
    totals = await channel_totals(supervisor)
    assert sum(each.charged_twice for each in totals) == 0
    assert sum(each.refunded for each in totals) == refunded
    assert sum(each.charged for each in totals) - refunded == FULL * SIZE * PRICE
