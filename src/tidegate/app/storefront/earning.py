"""What a place costs on the line's page, and the wait of a browser that runs no scripts.

With scripts the page asks for a challenge, solves it or waits, and sends the answer along. Without, the wait's ticket
stands in a cookie and the page loads itself again when the wait is over.
"""

from datetime import datetime
from enum import StrEnum

import msgspec
from litestar import Response, post
from litestar.datastructures import Cookie

from tidegate.app.pages.answer import own_origin, see_other
from tidegate.app.storefront.forms import Form, read_form
from tidegate.app.storefront.visit import Asking, Visit, client_of
from tidegate.base.errors import Refusal
from tidegate.gate.bots.api import Bots
from tidegate.gate.bots.contracts import PageSignals, WorkFault
from tidegate.gate.bots.errors import WorkRefused
from tidegate.gate.defence.api import Defences
from tidegate.gate.queue.api import Queue
from tidegate.gate.queue.http import everybody_works
from tidegate.offer.campaign.contracts import Defence
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.http import private_cookie

WAIT_COOKIE = "tg_wait"
_WAIT_SECONDS = 300


class Why(StrEnum):
    """Why a place costs work or a wait."""

    ATTACK = "attack"
    EVERYBODY = "everybody"
    SUSPECT = "suspect"


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What the reader's place costs, and the wait that he chose: its ticket, and when it is or was over."""

    why: Why | None = None
    ticket: str = ""
    waits_until: datetime | None = None


class Till:
    """Says what the reader's place costs. Made for one request."""

    def __init__(self, request: Asking, visit: Visit, queue: Queue, bots: Bots, defences: Defences) -> None:
        self._request, self._visit = request, visit
        self._queue, self._bots, self._defences = queue, bots, defences

    def cost(self, refusal: Refusal | None = None) -> Cost:
        """Return the cost; `refusal` is what the reader was just answered."""
        ticket = self._request.cookies.get(WAIT_COOKIE, "")
        turned_down = isinstance(refusal, WorkRefused) and refusal.fields["reason"] not in _WAITS_ON
        session = self._visit.session
        if session is None or not ticket or turned_down:
            return Cost(why=self._why(refusal))
        until = self._bots.waits_until(session, ticket)
        return Cost(why=self._why(refusal), ticket=ticket if until is not None else "", waits_until=until)

    def _why(self, refusal: Refusal | None) -> Why | None:
        if everybody_works(self._queue, self._defences):
            return Why.ATTACK if self._defences.active(Defence.WORK_FOR_ALL) else Why.EVERYBODY
        return Why.SUSPECT if isinstance(refusal, WorkRefused) else None

    def is_news(self, refusal: Refusal) -> bool:
        """Whether a refusal is the first that the reader hears of work: the form says so, nothing went wrong."""
        return self._why(refusal) is Why.SUSPECT and refusal.fields["reason"] is WorkFault.MISSING

    async def begin_wait(self, form: Form) -> str:
        """Return the ticket of a wait for this visit: a new one, or none where one is under way."""
        session = self._visit.session
        if session is None or self.cost().ticket:
            return ""
        agent = self._request.headers.get("user-agent", "")
        challenge = await self._bots.challenge(session, signals_of(form), client_of(self._request), agent)
        return challenge.wait_ticket


_WAITS_ON = (WorkFault.EARLY, WorkFault.MISSING)


def open_till(request: Asking, visit: Visit, queue: Queue, bots: Bots, defences: Defences) -> Till:
    """Dependency `till`."""
    return Till(request, visit, queue, bots, defences)


def signals_of(form: Form) -> PageSignals:
    """Return what the form says of the browser; the time it was shown is read from its stamp."""
    return PageSignals(
        website=form.text("website", 200),
        automation=form.text("automation") == "yes",
        headless=form.text("headless") == "yes",
        page=form.text("page", 200),
    )


def no_wait(identity: Identity) -> Cookie:
    """Return the cookie that forgets a wait: a place came of it."""
    return private_cookie(WAIT_COOKIE, "", 0, secure=identity.secure_cookies)


@post("/line/wait", include_in_schema=False, guards=[own_origin])
async def choose_wait(request: Asking, visit: Visit, till: Till, identity: Identity) -> Response[bytes]:
    """Begin a wait instead of the work; one that was begun goes on."""
    if visit.session is None:
        return see_other("/sign-in?next=/line")
    answer = see_other("/line")
    ticket = await till.begin_wait(await read_form(request))
    if ticket:
        answer.cookies.append(private_cookie(WAIT_COOKIE, ticket, _WAIT_SECONDS, secure=identity.secure_cookies))
    return answer


routes = [choose_wait]
