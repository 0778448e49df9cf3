"""Who wins, in simulation with fixed seeds: a bot farm with ten thousand accounts against a crowd of persons.

The farm asks first and fast, an account and a device for each place. What it really has are few ways to pay and few
networks. Places come from the ledger, ranks from the draw, winners from the calls: the code that runs in the shop. The
shop's own rules, those of a file that says nothing of them, are held in test_fair_shop.py.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from uuid import UUID

import msgspec
import pytest

from tests.gate.queue.test_steering import lane
from tidegate.base.errors import Refusal
from tidegate.gate.queue.contracts import AskPlace
from tidegate.gate.queue.draw import leaf, merkle_root, rank
from tidegate.gate.queue.errors import OnePlaceAPerson
from tidegate.gate.queue.rows import SLOW, HeldPlace, LaneRow, LineRow
from tidegate.gate.queue.rules import PlaceLedger
from tidegate.gate.queue.steering import is_called, share_out

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
FARM_ACCOUNTS = 10_000
FARM_PERSONS = 400
CROWD = 10_000
UNITS = 2_000
SEEDS = range(5)


def line() -> LineRow:
    return LineRow(
        line_id=1,
        campaign_id="double-11",
        opened_at=NOW,
        seed_sealed=b"",
        seed_hash=b"",
        next_serial=0,
        sealed_at=None,
        sealed_count=None,
        root=None,
        revealed_at=None,
        seed=None,
    )


def taken(asks: Sequence[AskPlace], per_network: int) -> tuple[list[HeldPlace], list[Refusal], list[bytes]]:
    """Let all ask in this order; return the places, the refusals, and the sealed list's leaves."""
    ledger = PlaceLedger(
        line(),
        [lane()],
        [],
        {},
        now=NOW,
        seals_at=NOW + timedelta(hours=1),
        per_network=per_network,
        behind=True,
        salt_key=b"key",
    )
    answers = [ledger.take(ask) for ask in asks]
    leaves = [leaf(each.serial, each.lane, bytes.fromhex(each.commitment)) for each in ledger.new]
    places = [each for each in answers if isinstance(each, HeldPlace)]
    return places, [each for each in answers if isinstance(each, Refusal)], leaves


def winners(places: Sequence[HeldPlace], leaves: Sequence[bytes], seed: bytes, units: int) -> set[UUID]:
    """Return the accounts that are called for so many units, a hundred a step."""
    root = merkle_root(leaves)
    ranks = {place.serial: rank(seed, root, place.serial) for place in places}
    row: LaneRow = msgspec.structs.replace(lane(), drawn=len(places))
    for _ in range(units // 100):
        row = share_out(100, [row], {0: sorted(ranks.values())})[0].lane
    return {place.account_id for place in places if is_called(row, rank=ranks[place.serial], number=0)}


def ask(random: Random, instrument: int | None, network: str) -> AskPlace:
    return AskPlace(
        account_id=UUID(int=random.getrandbits(128)),
        device=UUID(int=random.getrandbits(128)),
        instrument=sha256(b"%d" % instrument).digest() if instrument is not None else None,
        network=network,
    )


@pytest.mark.parametrize("run", SEEDS)
def test_a_farm_whose_ways_to_pay_are_known_has_a_place_for_each(run: int) -> None:
    """Ten thousand accounts that have all bought something once, with the payment accounts of 400 persons."""
    random = Random(run)
    farm = [ask(random, place % FARM_PERSONS, f"farm-{place % 1_000}") for place in range(FARM_ACCOUNTS)]
    crowd = [ask(random, FARM_PERSONS + place, f"home-{random.randrange(5_000)}") for place in range(CROWD)]
    places, refused, leaves = taken([*farm, *crowd], per_network=0)
    assert {type(each) for each in refused} == {OnePlaceAPerson}
    assert len(places) == FARM_PERSONS + CROWD
    won = winners(places, leaves, random.randbytes(32), UNITS)
    assert len(won) == UNITS
    fair = UNITS / (FARM_PERSONS + CROWD)
    farm_share = sum(each.account_id in won for each in farm) / FARM_PERSONS
    crowd_share = sum(each.account_id in won for each in crowd) / CROWD
    assert farm_share <= 1.5 * fair
    assert crowd_share >= 0.95 * fair


@pytest.mark.parametrize("run", SEEDS)
def test_coming_first_wins_nothing(run: int) -> None:
    """The first tenth of those who came holds a tenth of the wins, within four standard deviations."""
    random = Random(run)
    places, _, leaves = taken([ask(random, None, "home") for _ in range(CROWD)], per_network=0)
    won = winners(places, leaves, random.randbytes(32), UNITS)
    early = sum(place.account_id in won for place in places[: CROWD // 10])
    expected = UNITS / 10
    assert abs(early - expected) < 4 * (expected * 0.9 * 0.8) ** 0.5


@pytest.mark.parametrize("run", SEEDS)
def test_a_farm_that_was_recognised_gets_the_slow_lane_s_share_and_wrongs_nobody_else(run: int) -> None:
    """Nine of ten places of a farm with as many ways to pay as places are recognised: what is left has one fair share.

    Five calls of the slow lane beside each hundred others: the crowd loses at most those.
    """
    random = Random(run)
    farm = [ask(random, place, f"farm-{place}") for place in range(FARM_ACCOUNTS)]
    suspects = {each.account_id for each in farm[: FARM_ACCOUNTS * 9 // 10]}
    farm = [msgspec.structs.replace(each, slow=each.account_id in suspects) for each in farm]
    crowd = [ask(random, FARM_ACCOUNTS + place, f"home-{place}") for place in range(CROWD)]
    lanes = [lane(), msgspec.structs.replace(lane(1, 5), audience=SLOW)]
    ledger = PlaceLedger(
        line(), lanes, [], {}, now=NOW, seals_at=NOW + timedelta(hours=1), per_network=0, behind=True, salt_key=b"key"
    )
    places = [each for each in map(ledger.take, [*farm, *crowd]) if isinstance(each, HeldPlace)]
    root, seed = merkle_root([leaf(each.serial, each.lane, b"") for each in ledger.new]), random.randbytes(32)
    ranks = {place.serial: rank(seed, root, place.serial) for place in places}
    known = {number: sorted(ranks[each.serial] for each in places if each.lane == number) for number in range(2)}
    rows = [msgspec.structs.replace(each, drawn=len(known[each.lane])) for each in lanes]
    for _ in range(UNITS // 100):
        rows = [each.lane for each in share_out(100, rows, known)]
    won = {each.account_id for each in places if is_called(rows[each.lane], rank=ranks[each.serial], number=0)}
    slow_won = len(won & suspects)
    assert len(won) == UNITS
    assert slow_won <= UNITS * 5 / 105 + 1
    fair = (UNITS - slow_won) / (CROWD + FARM_ACCOUNTS - len(suspects))
    assert sum(each.account_id in won for each in crowd) / CROWD >= 0.95 * fair
