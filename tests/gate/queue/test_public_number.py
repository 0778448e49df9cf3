"""The public number of a draw: announced before, had after the root, in every rank; or missed, and that is shown."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gate.queue.relay import CHAIN, GENESIS, PERIOD, PUBLIC_KEY, Relay, randomness_of, relay
from tests.gate.queue.rooms import ROOM, Shopper, facts, opened_room, shoppers, stand, tick
from tests.offer.festivals import START
from tidegate.app.compose import App, compose
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.ids import Ids
from tidegate.gate.queue.adapters.drand import Drand
from tidegate.gate.queue.contracts import NOT_GENUINE, DrawView, Place, QueueState, StateNumber, Verification
from tidegate.gate.queue.draw import rank, rank_text
from tidegate.gate.queue.errors import NumberNotWanted
from tidegate.gate.queue.public_number import NumberNotGenuine, announced, draw_key, round_from
from tidegate.offer.campaign.contracts import NumberSource, PublicNumber, Words

DRAWN_AT = START - timedelta(seconds=30)
DRAND = PublicNumber(
    source=NumberSource.DRAND,
    label=Words("drand", "drand"),
    drawn_at=DRAWN_AT,
    patience_seconds=20,
    chain=CHAIN,
    public_key=PUBLIC_KEY,
    genesis_at=GENESIS,
    period_seconds=PERIOD,
)
STATED = PublicNumber(
    source=NumberSource.STATED, label=Words("福彩 3D", "Lottery 3D"), drawn_at=DRAWN_AT, patience_seconds=20
)
ROUND = announced(DRAND).round


@pytest.fixture
def drand() -> Iterator[Relay]:
    with relay() as server:
        yield server


@pytest.fixture
async def app(config: Config, clock: ManualClock, ids: Ids, drand: Relay) -> AsyncIterator[App]:
    composed = compose(msgspec.structs.replace(config, drand_url=drand.url), clock=clock, ids=ids)
    await composed.cache.client.flushall()
    await composed.open()
    yield composed
    await composed.close()


def draw(app: App) -> DrawView:
    body = app.queue.snapshot()
    assert body is not None
    return body.snapshot.draw


def state(app: App) -> QueueState:
    body = app.queue.snapshot()
    assert body is not None
    return body.snapshot.state


async def crowd_of(app: App, clock: ManualClock, number: PublicNumber) -> list[tuple[Shopper, Place]]:
    await opened_room(app, clock, public_number=number)
    return [(each, await stand(app, each)) for each in await shoppers(app, 5)]


async def at(app: App, clock: ManualClock, moment: datetime) -> None:
    await tick(app, clock, seconds=(moment - clock.now()).total_seconds())


async def verified(app: App, clock: ManualClock) -> Verification:
    async with app.db.read() as tx:
        return await app.queue.verify(tx, app.queue.room().campaign_id)


@given(st.integers(1, 3_600), st.integers(0, 10**9))
def test_the_round_is_the_first_at_or_after_the_moment(period: int, after: int) -> None:
    moment = datetime.fromtimestamp(GENESIS + after, UTC)
    number = round_from(GENESIS, period, moment)
    assert GENESIS + (number - 1) * period >= moment.timestamp()
    assert number == 1 or GENESIS + (number - 2) * period < moment.timestamp()


def test_rounds_are_counted_as_drand_counts_them() -> None:
    """A round of the network as others publish it: 27,946,612 was drawn on 20 April 2026 at midnight."""
    assert round_from(GENESIS, PERIOD, datetime(2026, 4, 20, tzinfo=UTC)) == 27_946_612


@given(st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=50), st.text(min_size=1, max_size=50))
def test_each_number_makes_another_draw(seed: bytes, one: str, other: str) -> None:
    assert draw_key(seed, None) == seed
    assert (draw_key(seed, one) == draw_key(seed, other)) is (one == other)
    assert draw_key(seed, one) != seed


async def test_the_round_is_announced_first_and_stands_in_every_rank(
    app: App, clock: ManualClock, drand: Relay
) -> None:
    crowd = await crowd_of(app, clock, DRAND)
    await tick(app, clock)
    told = draw(app).number
    assert told is not None
    assert (told.announced.round, told.text, told.missed) == (ROUND, None, "")
    assert told.announced.drawn_at >= DRAWN_AT > ROOM.seals_at
    await at(app, clock, ROOM.seals_at)
    assert (draw(app).root is not None, drand.asked) == (True, [])
    drand.latest = ROUND
    await at(app, clock, told.announced.drawn_at + timedelta(seconds=1))
    assert draw(app).number.text == randomness_of(ROUND)  # type: ignore[union-attr]
    assert draw(app).seed is None
    await at(app, clock, START)
    assert state(app) is QueueState.OPEN
    assert [each.name for each in (await verified(app, clock)).findings if not each.holds] == []
    async with app.db.read() as tx:
        for shopper, place in crowd:
            mine = await app.queue.receipt(tx, facts(app, shopper, place))
            assert (mine.seed, mine.root) != (None, None)
            key = draw_key(bytes.fromhex(mine.seed or ""), randomness_of(ROUND))
            assert mine.rank == rank_text(rank(key, bytes.fromhex(mine.root or ""), mine.serial))
            assert mine.public_number == draw(app).number
            assert mine.rank == app.queue.view(facts(app, shopper, place)).rank


@pytest.mark.parametrize("mood", ["broken", "html", "lies", "forged", "other round", "other chain"])
async def test_without_the_number_the_seed_alone_decides_and_that_is_shown(
    app: App, clock: ManualClock, drand: Relay, mood: str
) -> None:
    drand.latest, drand.mood = ROUND, mood
    await crowd_of(app, clock, DRAND)
    for moment in (ROOM.seals_at, START - timedelta(seconds=10), START):
        await at(app, clock, moment)
    assert (state(app), draw(app).seed) == (QueueState.SEALED, None)  # its patience is not over
    await at(app, clock, START + timedelta(seconds=DRAND.patience_seconds))
    number = draw(app).number
    assert number is not None
    is_forged = mood in {"forged", "lies"}
    why = NOT_GENUINE if is_forged else "the number could not be had 20 s after the opening"
    assert (number.text, number.missed, number.refused) == (None, why, is_forged)
    assert (state(app), draw(app).seed is not None) == (QueueState.OPEN, True)
    broken = [each.name for each in (await verified(app, clock)).findings if not each.holds]
    assert broken == ["the public number that was announced was had in time and stands in every rank"]
    drand.mood = "good"
    await tick(app, clock, seconds=5)
    assert draw(app).number == number  # what was missed stays missed: a second draw would be a choice


async def test_a_relay_that_comes_back_within_the_patience_is_in_time(
    app: App, clock: ManualClock, drand: Relay
) -> None:
    await crowd_of(app, clock, DRAND)
    for moment in (ROOM.seals_at, START):
        await at(app, clock, moment)
    drand.latest = ROUND
    await at(app, clock, START + timedelta(seconds=10))
    assert (draw(app).number.text, state(app)) == (randomness_of(ROUND), QueueState.OPEN)  # type: ignore[union-attr]


async def test_a_root_that_comes_after_the_number_does_without_it(app: App, clock: ManualClock, drand: Relay) -> None:
    """A worker that was away over the sealing publishes the root when the number is known already."""
    drand.latest = ROUND
    await crowd_of(app, clock, DRAND)
    await at(app, clock, DRAWN_AT + timedelta(seconds=10))
    number = draw(app).number
    assert number is not None
    assert (number.text, "after the number was drawn" in number.missed) == (None, True)
    await at(app, clock, START)
    assert state(app) is QueueState.OPEN
    assert [each.holds for each in (await verified(app, clock)).findings].count(False) == 2


async def test_staff_enter_a_stated_number_once_after_its_time(app: App, clock: ManualClock) -> None:
    await crowd_of(app, clock, STATED)
    for moment, reason in ((ROOM.seals_at, "too-early"), (DRAWN_AT, "")):
        await at(app, clock, moment)
        async with app.db.transaction() as tx:
            if reason:
                with pytest.raises(NumberNotWanted) as refused:
                    await app.queue.state_number(tx, StateNumber(text="3 5 7"), "lin.wei")
                assert refused.value.fields["reason"] == reason
            else:
                entered = await app.queue.state_number(tx, StateNumber(text=" 3 5  7 "), "lin.wei")
                assert entered.text == "3 5 7"
                assert await app.queue.state_number(tx, StateNumber(text="3 5 7"), "lin.wei") == entered
    async with app.db.transaction() as tx:
        with pytest.raises(NumberNotWanted):
            await app.queue.state_number(tx, StateNumber(text="8 8 8"), "lin.wei")
    await at(app, clock, START)
    assert (draw(app).number.text, (await verified(app, clock)).holds) == ("3 5 7", True)  # type: ignore[union-attr]


async def test_the_database_keeps_what_was_announced_and_drawn(app: App, clock: ManualClock, drand: Relay) -> None:
    drand.latest = ROUND
    await crowd_of(app, clock, DRAND)
    for moment in (ROOM.seals_at, DRAWN_AT + timedelta(seconds=PERIOD)):
        await at(app, clock, moment)
    for change in ("announced = null", "number_text = 'x'", "rooted_at = now()", "number_missed = 'x'"):
        with pytest.raises(psycopg.errors.CheckViolation):
            async with app.db.transaction() as tx:
                await tx.execute("update queue.line set " + change)


async def test_a_relay_that_does_not_exist_gives_no_number() -> None:
    assert await Drand("http://127.0.0.1:1", timeout_seconds=0.5).number(announced(DRAND)) is None


async def test_a_relay_that_is_slow_gives_no_number(drand: Relay) -> None:
    drand.latest = ROUND
    adapter = Drand(drand.url, timeout_seconds=1e-9)
    assert await adapter.number(announced(DRAND)) is None
    assert await Drand(drand.url).number(announced(DRAND)) is not None


async def test_a_round_that_another_key_signed_is_refused_and_said_so(
    drand: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    drand.latest, drand.mood = ROUND, "forged"
    with pytest.raises(NumberNotGenuine):
        await Drand(drand.url).number(announced(DRAND))
    assert f"is not signed with the key of chain {CHAIN}" in caplog.text
