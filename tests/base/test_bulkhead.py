"""So many at once, the higher class first, the newest where a queue stands; nobody waits long, nobody is lost."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.base.batch import Overloaded
from tidegate.base.bulkhead import Bulkhead
from tidegate.base.load import LoadControl


class Moment:
    """A clock that is set by hand, and how long the loop's thread has worked by it."""

    def __init__(self, *, busy: bool = True) -> None:
        self.now = 1_000.0
        self._busy = busy

    def clock(self) -> float:
        return self.now

    def worked(self) -> float:
        return self.now if self._busy else 0.0


class Room:
    """A bulkhead for two at once, whose visitors stay until they are told to leave."""

    def __init__(self, moment: Moment, at_once: int = 2) -> None:
        self.moment = moment
        self.bulkhead = Bulkhead(LoadControl(busy=moment.worked), 4, at_once, moment.clock, look_seconds=3600)
        self.inside: list[str] = []
        self.refused: list[str] = []
        self.entered = 0
        self.visits: dict[str, asyncio.Task[None]] = {}

    async def comes(self, name: str, number: int = 3) -> None:
        self.visits[name] = asyncio.create_task(self._visit(name, number))
        await settle()

    async def _visit(self, name: str, number: int) -> None:
        try:
            await self.bulkhead.enter(number)
        except Overloaded:
            self.refused.append(name)
        else:
            self.inside.append(name)
            self.entered += 1

    async def leaves(self, name: str) -> None:
        self.inside.remove(name)
        self.bulkhead.leave()
        await settle()

    async def looks(self, times: int = 1) -> None:
        for _ in range(times):
            self.moment.now += 0.001
            self.bulkhead.look()
            await settle()


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def filled(room: Room, waiting: Sequence[str]) -> None:
    for name in ("a", "b", *waiting):
        await room.comes(name)
    assert (room.inside, room.bulkhead.inside, room.bulkhead.waiting) == (["a", "b"], 2, len(waiting))


async def test_who_came_first_goes_on_first_where_no_queue_has_stood() -> None:
    room = Room(Moment())
    await filled(room, "cde")
    await room.leaves("a")
    assert room.inside == ["b", "c"]
    await room.leaves("b")
    await room.leaves("c")
    assert (room.inside, room.bulkhead.waiting) == (["d", "e"], 0)
    await room.leaves("d")
    await room.comes("f")
    assert room.inside == ["e", "f"]


async def test_the_higher_class_goes_on_first() -> None:
    room = Room(Moment())
    await filled(room, "c")
    await room.comes("buyer", 1)
    await room.leaves("a")
    assert room.inside == ["b", "buyer"]


async def test_the_newest_goes_on_first_where_a_queue_stands() -> None:
    room = Room(Moment())
    await filled(room, "c")
    await room.looks(4)
    room.moment.now += 0.1
    await room.comes("d")
    await room.comes("e")
    await room.looks()
    assert (room.inside, room.refused, room.bulkhead.waiting) == (["a", "b"], ["c"], 2)
    await room.leaves("a")
    assert (room.inside, room.bulkhead.waiting) == (["b", "e"], 1)
    await room.leaves("e")
    await room.comes("f")
    await room.comes("g")
    await room.leaves("b")
    assert room.inside == ["d", "f"], "the queue was gone in between"


async def test_a_burst_may_wait_for_a_second_and_no_longer() -> None:
    room = Room(Moment())
    await filled(room, "c")
    room.moment.now += 0.9  # one long turn of the loop
    await room.looks()
    await room.leaves("a")
    assert (room.inside, room.refused) == (["b", "c"], [])
    await room.comes("d")
    room.moment.now += 1.1
    await room.looks()
    assert (room.inside, room.refused, room.bulkhead.waiting) == (["b", "c"], ["d"], 0)


async def test_where_the_loop_has_nothing_to_do_more_are_let_in_and_nobody_is_refused() -> None:
    room = Room(Moment(busy=False))
    await filled(room, "cde")
    room.moment.now += 0.3
    await room.looks()
    assert (room.inside, room.bulkhead.waiting) == (["a", "b", "c", "d"], 1)
    room.moment.now += 0.02
    await room.looks()
    assert (room.inside, room.refused, room.bulkhead.inside) == (["a", "b", "c", "d", "e"], [], 5)
    await room.comes("f")
    await room.leaves("a")
    assert room.inside == ["b", "c", "d", "e"], "there are more inside than may be: one who leaves makes no room"


async def test_where_what_is_worked_on_does_not_end_the_waiting_are_told() -> None:
    room = Room(Moment())
    await filled(room, "cd")
    room.moment.now += 1.1
    await room.looks()
    assert (room.inside, room.refused, room.bulkhead.inside) == (["a", "b"], ["c", "d"], 2)


async def test_it_looks_by_itself_while_some_wait() -> None:
    bulkhead = Bulkhead(LoadControl(busy=time.perf_counter), 1, 1)
    await bulkhead.enter(0)
    with pytest.raises(Overloaded):
        await asyncio.wait_for(bulkhead.enter(0), 60)
    idle = Bulkhead(LoadControl(busy=lambda: 0.0), 1, 1)
    await idle.enter(0)
    await asyncio.wait_for(idle.enter(0), 60)
    assert (bulkhead.inside, idle.inside) == (1, 2)


async def test_who_gives_up_in_the_moment_of_being_let_in_leaves_a_place() -> None:
    room = Room(Moment())
    await filled(room, "cd")
    room.bulkhead.leave()
    room.visits["c"].cancel()
    await settle()
    assert (room.inside, room.bulkhead.inside) == (["a", "b", "d"], 2)


@given(st.lists(st.tuples(st.sampled_from(("comes", "leaves", "cancels", "waits")), st.integers(0, 3)), max_size=60))
def test_places_add_up_whatever_happens(steps: list[tuple[str, int]]) -> None:
    asyncio.run(_add_up(steps))


async def _add_up(steps: list[tuple[str, int]]) -> None:
    room = Room(Moment())
    for turn, (step, number) in enumerate(steps):
        if step == "comes":
            await room.comes(str(turn), number)
        elif step == "leaves" and room.inside:
            await room.leaves(room.inside[number % len(room.inside)])
        elif step == "cancels" and room.visits:
            room.visits[sorted(room.visits)[number % len(room.visits)]].cancel()
            await settle()
        elif step == "waits":
            room.moment.now += 0.04 * number
            await room.looks()
        assert room.bulkhead.inside == len(room.inside) <= 2
    while room.inside:
        await room.leaves(room.inside[0])
    assert (room.bulkhead.inside, room.bulkhead.waiting) == (0, 0)
    await asyncio.gather(*room.visits.values(), return_exceptions=True)
    left = sum(visit.cancelled() for visit in room.visits.values())
    assert len(room.visits) == left + len(room.refused) + room.entered
