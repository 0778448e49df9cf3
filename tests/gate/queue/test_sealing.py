"""Sealing: the list is read in parts, and the root is that of the whole list."""

import tracemalloc
from datetime import timedelta

import pytest

from tests.gate.queue.rooms import ROOM, facts, opened_room, shoppers, stand, tick
from tidegate.app.compose import App
from tidegate.base.clock import ManualClock
from tidegate.gate.queue import store, store_proof
from tidegate.gate.queue.draw import SUBTREE, leaf, merkle_root, root_from_path, subtree_roots
from tidegate.gate.queue.drawing import READ_PLACES
from tidegate.gate.queue.rows import LineRow

_FILL = """
    insert into queue.place (line_id, lane, serial, number, account_id, device, joined_at, left_at, commitment)
    select line_id, 0, serial, 0, gen_random_uuid(), gen_random_uuid(), opened_at,
        case when mod(serial, 10) = 3 then opened_at end, sha256(serial::text::bytea)
    from queue.line, generate_series(0, %s - 1) serial
"""


async def fill(app: App, places: int) -> None:
    """Put so many places of the draw into the line, each tenth of them given up."""
    async with app.db.transaction() as tx:
        await tx.execute(_FILL, [places])
        await tx.execute("update queue.line set next_serial = %s", [places])
        await tx.execute("update queue.lane set drawn = %s where lane = 0", [places])


async def seal(app: App, clock: ManualClock) -> LineRow:
    """Pass the sealing; return the line."""
    await tick(app, clock, seconds=(ROOM.seals_at - clock.now()).total_seconds())
    async with app.db.read() as tx:
        line = await store.line(tx, app.queue.room().campaign_id)
    assert line is not None
    return line


@pytest.mark.parametrize(
    "places",
    [0, 1, SUBTREE - 1, SUBTREE + 1, READ_PLACES - 1, READ_PLACES, READ_PLACES + 1, 2 * READ_PLACES + SUBTREE + 7],
)
async def test_the_root_is_that_of_the_whole_list(app: App, clock: ManualClock, places: int) -> None:
    await opened_room(app, clock)
    await fill(app, places)
    line = await seal(app, clock)
    async with app.db.read() as tx:
        leaves = [leaf(*each) for each in await store.sealed(tx, line.line_id, 0, places + 1)]
        kept = await store_proof.subtrees(tx, line.line_id)
    assert (line.sealed_count, len(leaves)) == (places, places)
    assert line.root == merkle_root(leaves)
    assert kept == subtree_roots(leaves)


async def test_a_place_of_a_later_part_has_its_path_and_the_late_are_not_in_the_list(
    app: App, clock: ManualClock
) -> None:
    festival = await opened_room(app, clock)
    await fill(app, READ_PLACES + 5)
    last, late = await shoppers(app, 2)
    place = await stand(app, last)
    line = await seal(app, clock)
    behind = await stand(app, late)
    assert (line.sealed_count, place.serial, behind.number) == (READ_PLACES + 6, READ_PLACES + 5, 1)
    async with app.db.read() as tx:
        mine = await app.queue.receipt(tx, facts(app, last, place))
        assert (await app.queue.verify(tx, festival.id)).holds
    path = [bytes.fromhex(each) for each in mine.path]
    hashed = leaf(mine.serial, 0, bytes.fromhex(mine.commitment))
    assert root_from_path(mine.serial, READ_PLACES + 6, hashed, path) == line.root


async def test_a_long_list_takes_no_more_memory_than_a_short_one(app: App, clock: ManualClock) -> None:
    await opened_room(app, clock)
    await fill(app, 10 * READ_PLACES)
    clock.advance(seconds=(ROOM.seals_at - clock.now()) / timedelta(seconds=1))
    tracemalloc.start()
    try:
        await app.queue.step()
        _, peak = tracemalloc.get_traced_memory()
        async with app.db.read() as tx:
            line = await store.line(tx, app.queue.room().campaign_id)
            assert line is not None
            assert line.root is not None
            tracemalloc.reset_peak()
            part = await store.sealed(tx, line.line_id, 0, READ_PLACES)
            subtree_roots([leaf(*each) for each in part])
        _, peak_of_a_part = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * peak_of_a_part
