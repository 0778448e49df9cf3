"""Who wins in the shop as it is wired, by the rules that a campaign file gives where it says nothing of them.

Ten thousand accounts of a farm ask first, each on a client without cookies, from twenty networks; nobody recognises
them. A crowd as large follows: nine tenths at home, one tenth where many share addresses. Places are taken at the
shop's own door, from client addresses, in its database; ranks and calls are its own. The draws have fixed seeds.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from statistics import fmean
from uuid import UUID

from tests.gate.queue.rooms import opened_room, tick
from tests.gate.queue.test_line import paid_once
from tests.offer.campaign.test_definition import FESTIVAL, read
from tests.offer.campaign.test_waiting_room import ROOM as ROOM_WITHOUT_SUCH_KEYS
from tidegate.app.api.standing import PlaceDoor
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.bots.contracts import Visitor
from tidegate.gate.queue import store
from tidegate.gate.queue.contracts import PlaceKind
from tidegate.gate.queue.draw import leaf, merkle_root, rank
from tidegate.gate.queue.rows import LaneRow
from tidegate.gate.queue.steering import is_called, share_out
from tidegate.offer.campaign.contracts import WaitingRoom
from tidegate.trust.identity.contracts import AccountId, SessionFacts, SessionId

FARM_ACCOUNTS, FARM_PERSONS, FARM_NETWORKS = 10_000, 400, 20
HOMES, SHARED, SHARED_NETWORKS, REGULARS = 9_000, 1_000, 20, 300
"""The crowd: one at home each, and fifty on each of twenty networks, of whom fifteen have paid here before."""
UNITS = 2_000
FAIR = UNITS / (FARM_PERSONS + HOMES + SHARED)
DRAWS = range(10)
TOGETHER = 500


def default_rules() -> WaitingRoom:
    """Return the waiting room of a file that says nothing of networks and of the slow lane."""
    room = read(FESTIVAL + ROOM_WITHOUT_SUCH_KEYS).waiting_room
    assert room is not None
    return room


def visitors(random: Random, addresses: Sequence[str], expires_at: datetime) -> list[Visitor]:
    """Return one account at each of these client addresses, signed in there for the first time."""
    found = []
    for address in addresses:
        account, session = (UUID(int=random.getrandbits(128)) for _ in range(2))
        facts = SessionFacts(account_id=AccountId(account), session_id=SessionId(session), expires_at=expires_at)
        found.append(Visitor(session=facts, address=address))
    return found


async def take(app: App, crowd: Sequence[Visitor]) -> list[PlaceKind]:
    """Let all of them take a place at the quick door, in this order; return how each is ordered."""
    door = PlaceDoor(app.limits, app.bots, app.queue)
    places = []
    for start in range(0, len(crowd), TOGETHER):
        places += await asyncio.gather(*[door.take(each, None, None) for each in crowd[start : start + TOGETHER]])
    return [place.kind for place in places]


class Draws:
    """The sealed list of the line, drawn again and again."""

    def __init__(
        self, lanes: list[LaneRow], listed: list[tuple[int, int, bytes]], drawn: Mapping[int, tuple[UUID, int]]
    ) -> None:
        self._lanes, self._drawn = lanes, drawn
        self._root = merkle_root([leaf(*each) for each in listed])

    def called(self, seed: bytes) -> set[UUID]:
        """Return the accounts that are called for all units, a hundred a step, while drawn places are left."""
        ranks = {serial: rank(seed, self._root, serial) for serial in self._drawn}
        lanes, known = self._lanes, dict[int, list[int]]()
        for lane in lanes:
            known[lane.lane] = sorted(ranks[each] for each, (_, its) in self._drawn.items() if its == lane.lane)
        for _ in range(UNITS // 100):
            lanes = [each.lane for each in share_out(100, lanes, known, late_reach=0)]
        assert sum(lane.late_called for lane in lanes) == 0
        return {
            account
            for serial, (account, lane) in self._drawn.items()
            if is_called(lanes[lane], rank=ranks[serial], number=0)
        }


async def draws_of(app: App) -> Draws:
    async with app.db.read() as tx:
        line = await store.line(tx, app.queue.room().campaign_id)
        assert line is not None
        found = await tx.execute("select serial, account_id, lane from queue.place where number = 0")
        drawn = {serial: (account, lane) for serial, account, lane in await found.fetchall()}
        return Draws(await store.lanes(tx, line.line_id), await store.sealed(tx, line.line_id, 0, 1 << 20), drawn)


def share(won: set[UUID], group: Sequence[Visitor], persons: int) -> float:
    """Return what a group won, by the persons it has, in fair shares."""
    return sum(each.session.account_id in won for each in group) / persons / FAIR


async def test_a_farm_that_nobody_recognises_gets_at_most_one_and_a_half_shares_by_the_default_rules(
    app: App, clock: ManualClock
) -> None:
    rules = default_rules()
    room = (await opened_room(app, clock, per_network=rules.per_network, slow_share=rules.slow_share)).waiting_room
    assert room is not None
    random, until = Random(1), clock.now() + timedelta(days=1)
    addresses = [f"198.18.{place % FARM_NETWORKS}.{place // FARM_NETWORKS % 250}" for place in range(FARM_ACCOUNTS)]
    farm = visitors(random, addresses, until)
    homes = visitors(random, [f"10.{place >> 8}.{place & 255}.7" for place in range(HOMES)], until)
    shared = visitors(random, [f"172.16.{place % SHARED_NETWORKS}.9" for place in range(SHARED)], until)
    await paid_once(app, clock, [each.session.account_id for each in shared[:REGULARS]])

    kinds = await take(app, farm)
    assert kinds.count(PlaceKind.DRAWN) == FARM_NETWORKS * room.per_network
    assert await take(app, homes) == [PlaceKind.DRAWN] * HOMES
    kinds = await take(app, shared)
    # Whose paying account is known stands where all do; of the others, as many of a network as the rules say.
    assert kinds[:REGULARS] == [PlaceKind.DRAWN] * REGULARS
    assert kinds[REGULARS:].count(PlaceKind.DRAWN) == SHARED_NETWORKS * room.per_network
    drawn_of_shared = [each for each, kind in zip(shared, kinds, strict=True) if kind is PlaceKind.DRAWN]

    await tick(app, clock, seconds=(room.seals_at - clock.now()).total_seconds())
    draws = await draws_of(app)
    wins = [draws.called(Random(run).randbytes(32)) for run in DRAWS]
    assert {len(won) for won in wins} == {UNITS}
    assert all(share(won, farm, FARM_PERSONS) <= 1.5 for won in wins)
    assert all(share(won, homes, HOMES) >= 0.95 for won in wins)
    assert fmean(share(won, drawn_of_shared, len(drawn_of_shared)) for won in wins) >= 0.95
    # The price of the rule, as its decision states it: seven of ten are drawn where fifty share a network.
    assert len(drawn_of_shared) == 0.7 * SHARED
    assert 0.65 <= fmean(share(won, shared, SHARED) for won in wins) <= 0.8
