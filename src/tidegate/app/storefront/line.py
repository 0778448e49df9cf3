"""The waiting room's page: take a place, see how far it is, go in when called.

The page follows the public snapshot, which is one cached body a second for everybody. Twice a minute it gives a sign of
life at a door of a few bytes (`POST /api/v1/places/current/signs`); it is made anew when something changed.
"""

import msgspec
from litestar import Response, get, post

from tidegate.app.pages.answer import own_origin, see_other
from tidegate.app.storefront.earning import Cost, Till, no_wait, signals_of
from tidegate.app.storefront.forms import read_form
from tidegate.app.storefront.visit import Asking, Visit, client_of
from tidegate.app.storefront.wording import Spoken, spoken
from tidegate.base.errors import Refusal
from tidegate.gate.bots.api import Bots
from tidegate.gate.bots.contracts import Answer
from tidegate.gate.defence.api import Defences
from tidegate.gate.queue.api import Queue
from tidegate.gate.queue.contracts import PLACE_COOKIE, Entered, PlaceFacts, PlaceView, Standing
from tidegate.gate.queue.http import give_place
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.http import private_cookie

_PLACE_SECONDS = 7 * 86_400


class Turn(msgspec.Struct, frozen=True):
    """What the page shows: no place yet, a place, or the way in."""

    view: PlaceView | None = None
    inside: Entered | None = None
    trouble: Spoken | None = None


class Line:
    """The reader's place in the line, if there is a line and he stands in it."""

    def __init__(self, request: Asking, visit: Visit, queue: Queue) -> None:
        self._request = request
        self._visit = visit
        self._queue = queue

    @property
    def exists(self) -> bool:
        """Whether the campaign has a waiting room."""
        return self._queue.has_waiting_room()

    def facts(self) -> PlaceFacts | None:
        """Return the reader's place; None where he has none that is good."""
        session, token = self._visit.session, self._request.cookies.get(PLACE_COOKIE)
        if session is None or not token:
            return None
        return self._queue.kept_place(token, session.account_id, session.session_id)

    async def turn(self) -> Turn:
        """Return where the reader stands; whoever was called goes in."""
        facts = self.facts()
        if facts is None:
            return Turn()
        try:
            view = self._queue.view(facts)
            self._queue.beat(facts)
            answer = await self._queue.enter(facts) if view.standing is Standing.CALLED else None
        except Refusal as refusal:
            return Turn(trouble=spoken(refusal))
        return Turn(view=view, inside=answer if isinstance(answer, Entered) else None)

    async def must_wait(self) -> bool:
        """Whether the reader may not order now because he is not inside."""
        return self.exists and (await self.turn()).inside is None


def open_line(request: Asking, visit: Visit, queue: Queue) -> Line:
    """Dependency `line`."""
    return Line(request, visit, queue)


@get("/line", include_in_schema=False)
async def see_line(visit: Visit, line: Line, queue: Queue, bots: Bots, till: Till) -> Response[bytes]:
    """Where the reader stands."""
    if not line.exists:
        return see_other("/")
    return _page(visit, queue, bots, await line.turn(), line.facts(), cost=till.cost())


@post("/line", include_in_schema=False, guards=[own_origin])
async def take_place(
    *, request: Asking, visit: Visit, queue: Queue, bots: Bots, defences: Defences, till: Till, identity: Identity
) -> Response[bytes]:
    """Take a place, or the one taken before; where it is asked, for work or a wait."""
    if visit.session is None:
        return see_other("/sign-in?next=/line")
    form = await read_form(request)
    answer_given = Answer(work=form.text("work", 4_000), wait_ticket=form.text("wait_ticket", 200))
    try:
        place = await give_place(
            answer=answer_given,
            queue=queue,
            bots=bots,
            defences=defences,
            session=visit.session,
            host=client_of(request),
            agent=request.headers.get("user-agent", ""),
            page=signals_of(form),
        )
    except Refusal as refusal:
        turn = Turn(trouble=None if till.is_news(refusal) else spoken(refusal))
        return _page(visit, queue, bots, turn, None, cost=till.cost(refusal), status=refusal.status)
    answer = see_other("/line")
    answer.cookies.append(private_cookie(PLACE_COOKIE, place.token, _PLACE_SECONDS, secure=identity.secure_cookies))
    answer.cookies.append(no_wait(identity))
    return answer


@post("/line/leave", include_in_schema=False, guards=[own_origin])
async def leave(line: Line, queue: Queue, identity: Identity) -> Response[bytes]:
    """Give the place up."""
    facts = line.facts()
    if facts is not None:
        await queue.leave(facts)
    answer = see_other("/line")
    answer.cookies.append(private_cookie(PLACE_COOKIE, "", 0, secure=identity.secure_cookies))
    return answer


def _page(
    visit: Visit,
    queue: Queue,
    bots: Bots,
    turn: Turn,
    facts: PlaceFacts | None,
    *,
    cost: Cost,
    status: int = 200,
) -> Response[bytes]:
    body = queue.snapshot()
    return visit.personal(
        "line",
        status=status,
        turn=turn,
        facts=facts,
        seen=body.snapshot if body else None,
        room=queue.room(),
        signed_in=visit.session is not None,
        cost=cost,
        stamp=bots.stamp(visit.session) if visit.session is not None else "",
    )


routes = [see_line, take_place, leave]
