"""The line from the pre-queue to the last unit, on the real database: places, draw, calls, passes, purchases."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import msgspec
import pytest

from tests.gate.queue.rooms import ROOM, beat, buy, enter, facts, opened_room, shoppers, stand, tick, to_the_opening
from tidegate.app.compose import App, compose
from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.db import Tx
from tidegate.base.ids import Ids
from tidegate.gate.queue import store, store_gate
from tidegate.gate.queue.contracts import (
    AskPlace,
    Entered,
    GateAct,
    PlaceKind,
    QueueState,
    Standing,
    SteerGate,
    Waiting,
    WaitReason,
)
from tidegate.gate.queue.draw import commitment, leaf, rank, rank_text, root_from_path
from tidegate.gate.queue.errors import (
    NetworkFull,
    NothingLeft,
    PassSpent,
    PlaceRefused,
    PlacesClosed,
    PlacesNotOpen,
    PlaceSpent,
)
from tidegate.gate.queue.presence import Leases
from tidegate.offer.campaign.contracts import BeyondNetwork
from tidegate.sale.payment.store_payers import put_payers
from tidegate.sale.stock.contracts import Claim


def state(app: App) -> QueueState:
    body = app.queue.snapshot()
    assert body is not None
    return body.snapshot.state


async def holds(app: App) -> None:
    async with app.db.snapshot() as tx:
        checks = await app.queue.check(tx)
    assert [check.name for check in checks if not check.holds] == []


async def steer(app: App, act: GateAct, per_minute: int | None = None, note: str = "") -> None:
    async with app.db.transaction() as tx:
        await app.queue.steer(tx, SteerGate(act=act, reason="a test", per_minute=per_minute, note=note), "lin.wei")


async def test_places_are_taken_once_and_kept(app: App, clock: ManualClock, ids: Ids) -> None:
    await opened_room(app, clock)
    crowd = await shoppers(app, 20)
    taken = await asyncio.gather(*[stand(app, each) for each in crowd for _ in range(3)])
    assert len({place.token for place in taken}) == 20
    assert sorted({place.serial for place in taken}) == list(range(20))
    assert {place.kind for place in taken} == {PlaceKind.DRAWN}
    other = compose(app.config, clock=clock, ids=ids)  # another process, later, gives the same places
    await other.open()
    again = [await stand(other, each) for each in crowd]
    assert {place.token for place in again} == {place.token for place in taken}
    await other.close()
    await tick(app, clock)
    assert (state(app), app.queue.snapshot().snapshot.waiting) == (QueueState.GATHERING, 20)  # type: ignore[union-attr]


async def test_nobody_stands_in_line_before_it_opens(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    clock.advance(seconds=-60)
    with pytest.raises(PlacesNotOpen):
        await stand(app, shopper)


async def test_the_draw_is_committed_sealed_revealed_and_explained(app: App, clock: ManualClock) -> None:
    festival = await opened_room(app, clock)
    crowd = await shoppers(app, 9)
    places = [await stand(app, each) for each in crowd]
    await tick(app, clock)
    before = app.queue.snapshot().snapshot.draw  # type: ignore[union-attr]
    assert (before.root, before.seed) == (None, None)
    await tick(app, clock, seconds=(ROOM.seals_at - clock.now()).total_seconds())
    sealed = app.queue.snapshot().snapshot.draw  # type: ignore[union-attr]
    assert (sealed.seed_hash, sealed.count, sealed.seed) == (before.seed_hash, 9, None)
    await to_the_opening(app, clock)
    async with app.db.read() as tx:
        assert (await app.queue.verify(tx, festival.id)).holds
        for shopper, place in zip(crowd, places, strict=True):
            mine = await app.queue.receipt(tx, facts(app, shopper, place))
            assert mine.seed is not None
            assert mine.root is not None
            assert mine.root == sealed.root
            made = commitment(bytes.fromhex(mine.salt), mine.account_id, mine.device)
            assert made.hex() == mine.commitment
            path = [bytes.fromhex(each) for each in mine.path]
            assert root_from_path(mine.serial, 9, leaf(mine.serial, 0, made), path) == bytes.fromhex(mine.root)
            assert mine.rank == rank_text(rank(bytes.fromhex(mine.seed), bytes.fromhex(mine.root), mine.serial))


async def test_who_is_called_enters_and_the_cap_holds(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    crowd = await shoppers(app, 40)
    places = [await stand(app, each) for each in crowd]
    await to_the_opening(app, clock)
    standing = dict(zip(places, crowd, strict=True))
    for turn in range(60):
        await tick(app, clock)
        asking = list(standing.items())
        answers = await asyncio.gather(*[enter(app, shopper, place) for place, shopper in asking])
        inside = [place for (place, _), answer in zip(asking, answers, strict=True) if isinstance(answer, Entered)]
        assert len(inside) <= ROOM.cap
        for place in inside:
            await buy(app, standing.pop(place), f"order-{turn:03d}-{place.serial:03d}")
        await holds(app)
        if not standing:
            break
    assert not standing
    async with app.db.read() as tx:
        assert (await app.queue.verify(tx, app.queue.room().campaign_id)).holds
        assert (await app.queue.figures(tx)).bought == pytest.approx(40, abs=ROOM.cap)


async def test_a_pass_is_used_up_by_its_purchase_and_nobody_enters_twice(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    place = await stand(app, shopper)
    await to_the_opening(app, clock)
    await tick(app, clock)
    first, again = [await enter(app, shopper, place) for _ in range(2)]
    assert isinstance(first, Entered)
    assert isinstance(again, Entered)
    app.queue.require_inside(shopper.session.account_id)
    await buy(app, shopper)
    await tick(app, clock)
    with pytest.raises(PassSpent):
        app.queue.require_inside(shopper.session.account_id)
    with pytest.raises(PlaceSpent):
        await enter(app, shopper, place)
    await holds(app)
    new = await stand(app, shopper)  # whoever bought may stand in line again, behind the others
    assert (new.kind, new.number) == (PlaceKind.LATE, 1)
    await tick(app, clock)
    assert isinstance(await enter(app, shopper, new), Entered)


async def test_a_missed_call_is_skipped_with_one_return(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, cap=1)
    one, two = await shoppers(app, 2)
    places = [await stand(app, one), await stand(app, two)]
    await to_the_opening(app, clock)
    for _ in range(ROOM.claim_seconds * 3):
        await tick(app, clock)
    views = [app.queue.view(facts(app, *each)) for each in ((one, places[0]), (two, places[1]))]
    assert [view.standing for view in views] == [Standing.CALLED] * 2
    assert isinstance(await enter(app, one, places[0]), Entered)
    full = await enter(app, two, places[1])
    assert isinstance(full, Waiting)
    assert full.reason is WaitReason.FULL
    for _ in range(ROOM.claim_seconds + 2):  # came, found no room, and went away: that was the return
        await tick(app, clock)
    with pytest.raises(PlaceSpent):
        await enter(app, two, places[1])
    await holds(app)


async def test_leaving_frees_the_room_at_once(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, cap=1)
    crowd = await shoppers(app, 2)
    places = [await stand(app, each) for each in crowd]
    await to_the_opening(app, clock)
    for _ in range(70):
        await tick(app, clock)
    assert isinstance(await enter(app, crowd[0], places[0]), Entered)
    assert isinstance(await enter(app, crowd[1], places[1]), Waiting)
    await app.queue.leave(facts(app, crowd[0], places[0]))
    await app.queue.leave(facts(app, crowd[0], places[0]))
    assert isinstance(await enter(app, crowd[1], places[1]), Entered)
    with pytest.raises(PlaceRefused) as refused:
        await enter(app, crowd[0], places[0])
    assert refused.value.fields["reason"] == "given-up"
    await holds(app)


async def test_the_line_is_told_when_nothing_can_be_won_any_more(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, quota=1)
    crowd = await shoppers(app, 3)
    places = [await stand(app, each) for each in crowd]
    await to_the_opening(app, clock)
    winner = None
    for _ in range(5):
        await tick(app, clock)
        for shopper, place in zip(crowd, places, strict=True):
            if winner is None and isinstance(await enter(app, shopper, place), Entered):
                winner = shopper
    assert winner is not None
    placed = await buy(app, winner)
    await tick(app, clock)
    assert state(app) is QueueState.PAUSED, "the unit is held, and may come back"
    async with app.db.transaction() as tx:
        await app.stock.sell(tx, app.queue.room().campaign_id, [Claim(placed.order_id, "A")])
    await tick(app, clock)
    assert state(app) is QueueState.NOTHING_LEFT
    loser = next(place for shopper, place in zip(crowd, places, strict=True) if shopper is not winner)
    with pytest.raises(NothingLeft):
        await enter(app, crowd[places.index(loser)], loser)


async def test_staff_hold_slow_close_and_tell(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    crowd = await shoppers(app, 3)
    places = [await stand(app, each) for each in crowd[:2]]
    await steer(app, GateAct.HOLD)
    await to_the_opening(app, clock)
    assert state(app) is QueueState.HELD
    held = await enter(app, crowd[0], places[0])
    assert isinstance(held, Waiting)
    assert held.reason is WaitReason.HELD
    await steer(app, GateAct.NOTE, note="We are back in five minutes.")
    await steer(app, GateAct.CLOSE)
    await tick(app, clock)
    assert app.queue.snapshot().snapshot.note == "We are back in five minutes."  # type: ignore[union-attr]
    with pytest.raises(PlacesClosed):
        await stand(app, crowd[2])
    assert await stand(app, crowd[0]) == places[0]
    await steer(app, GateAct.OPEN)
    await tick(app, clock)
    await tick(app, clock)
    assert state(app) is QueueState.OPEN
    assert isinstance(await enter(app, crowd[0], places[0]), Entered)
    async with app.db.read() as tx:
        acts = [each.act for each in await app.queue.acts(tx)]
    assert acts == [GateAct.OPEN, GateAct.CLOSE, GateAct.NOTE, GateAct.HOLD]


async def test_latecomers_stand_behind_the_drawn_in_the_order_of_coming(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, cap=1)
    crowd = await shoppers(app, 4)
    drawn = await stand(app, crowd[0])
    await to_the_opening(app, clock)
    late = [await stand(app, each) for each in crowd[1:]]
    assert [place.number for place in late] == [1, 2, 3]
    assert drawn.kind is PlaceKind.DRAWN
    await tick(app, clock)
    assert app.queue.view(facts(app, crowd[3], late[2])).ahead in {2, 3}
    assert isinstance(await enter(app, crowd[0], drawn), Entered)
    assert isinstance(await enter(app, crowd[3], late[2]), Waiting)


@pytest.mark.parametrize("changes", [{"slow_share": 0}, {"beyond_network": BeyondNetwork.REFUSED}])
async def test_a_network_holds_no_more_places_than_the_file_says(
    app: App, clock: ManualClock, changes: dict[str, object]
) -> None:
    await opened_room(app, clock, **{"per_network": 2, **changes})  # type: ignore[arg-type]
    crowd = await shoppers(app, 3)
    for shopper in crowd[:2]:
        await stand(app, shopper, "192.0.2.0/24")
    with pytest.raises(NetworkFull):
        await stand(app, crowd[2], "192.0.2.0/24")
    assert await stand(app, crowd[2], "198.51.100.0/24")


async def test_a_place_that_is_given_up_leaves_its_network_once(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, per_network=3, slow_share=0)
    crowd = await shoppers(app, 6)
    places = await asyncio.gather(*[stand(app, each, "192.0.2.0/24") for each in crowd[:3]])
    leaving = facts(app, crowd[0], places[0])
    await asyncio.gather(*[app.queue.leave(leaving) for _ in range(4)])
    other = compose(app.config, clock=clock, ids=Ids(clock))  # two workers step at once
    await other.open()
    for _ in range(3):
        await asyncio.gather(app.queue.step(), other.queue.step())
    await other.close()
    came = await asyncio.gather(*[stand(app, each, "192.0.2.0/24") for each in crowd[3:]], return_exceptions=True)
    assert sorted(type(each).__name__ for each in came) == ["NetworkFull", "NetworkFull", "Place"]
    async with app.db.read() as tx:
        found = await tx.execute("select places from queue.network")
        assert await found.fetchall() == [(3,)]


async def test_a_network_s_count_is_held_against_its_places(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, per_network=3, slow_share=0)
    crowd = await shoppers(app, 2)
    await stand(app, crowd[0], "192.0.2.0/24")
    gone = await stand(app, crowd[1], "198.51.100.0/24")
    await app.queue.leave(facts(app, crowd[1], gone))
    await app.queue.step()
    assert await _networks_hold(app) == (True, "")
    async with app.db.transaction() as tx:
        await tx.execute("update queue.network set places = places + 1")
    assert await _networks_hold(app) == (False, "2 networks")


async def _networks_hold(app: App) -> tuple[bool, str]:
    async with app.db.read() as tx:
        checks = await app.queue.check(tx)
    (found,) = [each for each in checks if each.name.startswith("queue: each network")]
    return found.holds, found.detail


async def test_an_expired_pass_leaves_its_network(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, per_network=1, slow_share=0)
    crowd = await shoppers(app, 2)
    place = await stand(app, crowd[0], "192.0.2.0/24")
    await to_the_opening(app, clock)
    await tick(app, clock)
    assert isinstance(await enter(app, crowd[0], place), Entered)
    with pytest.raises(NetworkFull):
        await stand(app, crowd[1], "192.0.2.0/24")
    await tick(app, clock, seconds=ROOM.pass_seconds + 1)
    assert (await stand(app, crowd[1], "192.0.2.0/24")).kind is PlaceKind.LATE


def _flipped(token: str) -> str:
    return token[:20] + ("A" if token[20] != "A" else "B") + token[21:]


def _shortened(token: str) -> str:
    return token[:-4]


@pytest.mark.parametrize(
    ("token", "reason"),
    [(lambda _: None, "missing"), (lambda _: "x" * 104, "forged"), (_flipped, "forged"), (_shortened, "forged")],
)
async def test_what_is_not_our_place_is_refused(
    app: App, clock: ManualClock, token: Callable[[str], str | None], reason: str
) -> None:
    await opened_room(app, clock)
    [shopper] = await shoppers(app, 1)
    place = await stand(app, shopper)
    with pytest.raises(PlaceRefused) as refused:
        app.queue.check_place(token(place.token), shopper.session.account_id, shopper.session.session_id)
    assert refused.value.fields["reason"] == reason


async def test_a_shared_place_is_refused(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    mine, theirs = await shoppers(app, 2)
    place = await stand(app, mine)
    moved = msgspec.structs.replace(mine.session, session_id=theirs.session.session_id)
    for session, reason in ((theirs.session, "other-account"), (moved, "other-device")):
        with pytest.raises(PlaceRefused) as refused:
            app.queue.check_place(place.token, session.account_id, session.session_id)
        assert refused.value.fields["reason"] == reason


async def test_a_clock_that_goes_back_and_a_valkey_that_is_gone_lose_nothing(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    crowd = await shoppers(app, 10)
    places = [await stand(app, each) for each in crowd]
    await to_the_opening(app, clock)
    await tick(app, clock)
    before = app.queue.snapshot().snapshot.lanes  # type: ignore[union-attr]
    await tick(app, clock, seconds=-3_600)
    after = app.queue.snapshot().snapshot.lanes  # type: ignore[union-attr]
    assert [each.threshold for each in after] == [each.threshold for each in before]
    gone = Cache("redis://127.0.0.1:1", timeout_seconds=0.2)
    app.queue._leases = Leases(gone, clock)
    await beat(app, crowd[0], places[0])
    await tick(app, clock, seconds=3_600)
    assert [await stand(app, each) for each in crowd] == places
    await gone.close()


async def test_who_comes_between_the_sealing_time_and_the_next_step_is_late(app: App, clock: ManualClock) -> None:
    festival = await opened_room(app, clock)
    crowd = await shoppers(app, 6)
    drawn = [await stand(app, each) for each in crowd[:3]]
    clock.advance(seconds=(ROOM.seals_at - clock.now()).total_seconds())  # and the worker has not stepped yet
    late = [await stand(app, each) for each in crowd[3:]]
    assert [place.kind for place in late] == [PlaceKind.LATE] * 3
    await tick(app, clock)
    await to_the_opening(app, clock)
    async with app.db.read() as tx:
        assert (await app.queue.sealed_list(tx, festival.id)).count == 3
        mine = await app.queue.receipt(tx, facts(app, crowd[0], drawn[0]))
        found = await app.queue.verify(tx, festival.id)
    assert [each.name for each in found.findings if not each.holds] == []
    path = [bytes.fromhex(each) for each in mine.path]
    leaf_hash = leaf(mine.serial, 0, bytes.fromhex(mine.commitment))
    assert mine.root is not None
    assert root_from_path(mine.serial, 3, leaf_hash, path) == bytes.fromhex(mine.root)


async def test_a_hold_costs_the_called_neither_their_pass_nor_their_return(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock, cap=2)
    crowd = await shoppers(app, 2)
    places = [await stand(app, each) for each in crowd]
    await to_the_opening(app, clock)
    await tick(app, clock)
    await tick(app, clock)
    first = await enter(app, crowd[0], places[0])
    assert isinstance(first, Entered)
    await steer(app, GateAct.HOLD)
    for _ in range(ROOM.claim_seconds + 5):
        await tick(app, clock)
        waiting = await enter(app, crowd[1], places[1])
        assert isinstance(waiting, Waiting)
        assert waiting.reason is WaitReason.HELD
    assert isinstance(await enter(app, crowd[0], places[0]), Entered), "who is inside gets the pass again"
    await steer(app, GateAct.OPEN)
    await tick(app, clock)
    assert isinstance(await enter(app, crowd[1], places[1]), Entered)
    async with app.db.read() as tx:
        assert (await app.queue.figures(tx)).returned == 0
    await holds(app)


async def test_the_gate_is_counted_while_the_line_is_locked_by_who_takes_a_place(app: App, clock: ManualClock) -> None:
    """Written twice in one transaction the gate has its foreign key checked: that must not wait for the line's lock."""
    festival = await opened_room(app, clock)
    async with app.db.transaction() as taking, app.db.transaction() as stepping:
        line = await store.line(taking, festival.id, lock=True)
        assert line is not None
        await stepping.execute("set local lock_timeout = '2s'")
        await store_gate.lock_gate(stepping, line.line_id)
        await store_gate.count(stepping, line.line_id, came=1)
        await store_gate.count(stepping, line.line_id, came=1)
        assert (await store_gate.gate(stepping, line.line_id)).came == 2


@pytest.mark.parametrize("analysed", ["never", "after an earlier crowd gave its places up", "now"])
async def test_who_holds_a_place_is_found_without_reading_the_line(app: App, clock: ManualClock, analysed: str) -> None:
    """Also while a line fills, of which the database knows nothing yet, or only what was true of an earlier one."""
    await opened_room(app, clock)
    if analysed == "after an earlier crowd gave its places up":
        crowd = await shoppers(app, 3)
        places = [await stand(app, each) for each in crowd]
        for each, place in zip(crowd, places, strict=True):
            await app.queue.leave(facts(app, each, place))
        await analyse_places(app)
    asks = [AskPlace(account_id=uuid4(), device=uuid4()) for _ in range(3_000)]
    await paid_once(app, clock, [each.account_id for each in asks])
    for start in range(0, len(asks), 250):
        await app.queue.take_places(asks[start : start + 250])
    if analysed == "now":
        await analyse_places(app)
    asked = asks[::30]
    accounts = [each.account_id for each in asked]
    async with app.db.transaction() as tx:
        line = await store.line(tx, app.queue.room().campaign_id)
        assert line is not None
        known = await store.held(tx, line.line_id, accounts, [], [])
        browsers = [each.browser for each in known if each.browser is not None]
        instruments = [each.instrument for each in known if each.instrument is not None]
        assert len({*browsers}) == len({*instruments}) == len(asked)
        asked_by: list[tuple[list[UUID], list[bytes], list[bytes]]] = [
            (accounts, [], []),
            ([], browsers, []),
            ([], [], instruments),
        ]
        for names in asked_by:
            read_before = await rows_read(tx)
            found = await store.held(tx, line.line_id, *names)
            read = await rows_read(tx) - read_before
            assert {each.account_id for each in found} == set(accounts)
            assert read <= 2 * len(asked)


async def paid_once(app: App, clock: ManualClock, accounts: Sequence[UUID]) -> None:
    """Let each of them have paid, from an account of its own at a channel that tells which."""
    async with app.db.transaction() as tx:
        await put_payers(tx, {each: (f"harbour-{each.hex}", clock.now()) for each in accounts})


async def analyse_places(app: App) -> None:
    async with app.db.transaction() as tx:
        await tx.execute("analyze queue.place")


async def rows_read(tx: Tx) -> int:
    """Return how many rows of places this connection has read that the database has not added to its totals yet."""
    counted = await tx.execute(
        "select idx_tup_fetch + seq_tup_read from pg_stat_xact_user_tables where relname = 'place'"
    )
    [(rows,)] = await counted.fetchall()
    return int(rows)
