"""The quick door of the line: all who ask for a place together are counted, weighed and written together."""

from collections.abc import Sequence
from typing import NamedTuple

from tidegate.base.batch import Batcher
from tidegate.gate.bots.api import Bots
from tidegate.gate.bots.contracts import Visitor
from tidegate.gate.limits.api import Limits
from tidegate.gate.limits.contracts import Asker, LimitedAct
from tidegate.gate.queue.api import Queue
from tidegate.gate.queue.contracts import Place
from tidegate.gate.queue.http import ask_of


class _Asking(NamedTuple):
    visitor: Visitor
    asker: Asker | None


class PlaceDoor:
    """Gives what `POST /api/v1/places` gives, once the work that an attack asks for is done."""

    def __init__(self, limits: Limits, bots: Bots, queue: Queue) -> None:
        self._limits, self._bots, self._queue = limits, bots, queue
        # One at a time: all of them lock the same line, and the larger a batch, the less each place costs.
        self._asking: Batcher[_Asking, Place] = Batcher("place-door", self._take, in_flight_max=1)

    async def take(self, visitor: Visitor, asker: Asker | None) -> Place:
        """Give a place, or the one that this account holds; durable when this returns.

        Without `asker` the rate limits were asked already.
        Raises what `Limits.require` and `Queue.take_place` raise.
        """
        return await self._asking.submit(_Asking(visitor, asker))

    async def _take(self, batch: list[_Asking]) -> Sequence[Place | Exception]:
        refusals = await self._limits.refusals(LimitedAct.TAKE_PLACE, [each.asker for each in batch])
        visitors = [each.visitor for each, refusal in zip(batch, refusals, strict=True) if refusal is None]
        places = iter(await self._placed(visitors) if visitors else ())
        return [refusal or next(places) for refusal in refusals]

    async def _placed(self, visitors: Sequence[Visitor]) -> Sequence[Place | Exception]:
        decisions = await self._bots.weigh_together(visitors)
        return await self._queue.take_places(
            [ask_of(each.session, each.address, decision) for each, decision in zip(visitors, decisions, strict=True)]
        )
