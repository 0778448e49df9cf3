"""The quick door of the line: all who ask for a place together are counted, weighed and written together."""

from collections.abc import Sequence
from typing import NamedTuple

from tidegate.base.batch import Batcher
from tidegate.gate.bots.api import Bots
from tidegate.gate.bots.contracts import Answer, Decision, Visitor
from tidegate.gate.bots.errors import WorkRefused
from tidegate.gate.limits.api import Limits
from tidegate.gate.limits.contracts import Asker, LimitedAct
from tidegate.gate.queue.api import Queue
from tidegate.gate.queue.contracts import Place
from tidegate.gate.queue.http import ask_of, owes_work


class _Asking(NamedTuple):
    visitor: Visitor
    asker: Asker | None
    answer: Answer | None


class PlaceDoor:
    """Gives what `POST /api/v1/places` gives, once the work that everybody is asked for is done."""

    def __init__(self, limits: Limits, bots: Bots, queue: Queue) -> None:
        self._limits, self._bots, self._queue = limits, bots, queue
        # One at a time: all of them lock the same line, and the larger a batch, the less each place costs.
        self._asking: Batcher[_Asking, Place] = Batcher("place-door", self._take, in_flight_max=1)

    async def take(self, visitor: Visitor, asker: Asker | None, answer: Answer | None) -> Place:
        """Give a place, or the one that this account holds; durable when this returns.

        Without `asker` the rate limits were asked already, and the work was judged: then there is no `answer`.
        Raises what `Limits.require`, `Bots.require_work` and `Queue.take_place` raise.
        """
        return await self._asking.submit(_Asking(visitor, asker, answer))

    async def _take(self, batch: list[_Asking]) -> Sequence[Place | Exception]:
        refusals = await self._limits.refusals(LimitedAct.TAKE_PLACE, [each.asker for each in batch])
        counted = [each for each, refusal in zip(batch, refusals, strict=True) if refusal is None]
        places = iter(await self._weighed(counted) if counted else ())
        return [refusal or next(places) for refusal in refusals]

    async def _weighed(self, asking: Sequence[_Asking]) -> Sequence[Place | Exception]:
        decisions = await self._bots.weigh_together([each.visitor for each in asking])
        refusals = await self._unpaid(asking, decisions)
        asks = [
            ask_of(each.visitor.session, each.visitor.address, decision)
            for each, decision, refusal in zip(asking, decisions, refusals, strict=True)
            if refusal is None
        ]
        places = iter(await self._queue.take_places(asks) if asks else ())
        return [refusal or next(places) for refusal in refusals]

    async def _unpaid(self, asking: Sequence[_Asking], decisions: Sequence[Decision]) -> list[WorkRefused | None]:
        """Spend the answers of those who look like programs, where these pay; return each one's refusal."""
        owing = [
            place
            for place, (each, decision) in enumerate(zip(asking, decisions, strict=True))
            if each.asker is not None and owes_work(self._queue, decision)
        ]
        refusals: list[WorkRefused | None] = [None] * len(asking)
        if owing:
            found = await self._bots.work_refusals(
                [(asking[place].visitor.session, asking[place].answer) for place in owing]
            )
            for place, refusal in zip(owing, found, strict=True):
                refusals[place] = refusal
        return refusals
