"""JSON doors of the queue: the line for everybody, a place for each, passes, and the gate for staff."""

from typing import Annotated, Any

from litestar import Request, Response, delete, get, post
from litestar.datastructures import CacheControlHeader
from litestar.params import HeaderParameter, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED, HTTP_304_NOT_MODIFIED

from tidegate.base.db import Database
from tidegate.base.http import matches, network_of
from tidegate.base.openapi import refuses
from tidegate.gate.admission.api import Admission
from tidegate.gate.admission.contracts import Pass, PassWindow
from tidegate.gate.admission.errors import CampaignOver, NoCampaign, PhaseNotOpen
from tidegate.gate.bots.api import Bots
from tidegate.gate.bots.contracts import Answer, Decision, Lane, PageSignals, TokenKind
from tidegate.gate.bots.errors import WorkRefused
from tidegate.gate.defence.api import Defences
from tidegate.gate.queue.api import Queue
from tidegate.gate.queue.contracts import (
    PLACE_COOKIE,
    PLACE_HEADER,
    AskPlace,
    CallList,
    Entered,
    GateFigures,
    GateRecord,
    GateWatch,
    NumberView,
    Place,
    PlaceView,
    Receipt,
    SealedList,
    Sign,
    StateNumber,
    SteerGate,
    Waiting,
)
from tidegate.gate.queue.errors import (
    NetworkFull,
    NothingLeft,
    NotSealed,
    NoWaitingRoom,
    NumberNotWanted,
    OnePlaceAPerson,
    PlaceRefused,
    PlacesClosed,
    PlacesNotOpen,
    PlaceSpent,
)
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import Defence, PhaseName, WorkAsked
from tidegate.trust.identity.contracts import Permission, SessionFacts, Staff
from tidegate.trust.identity.errors import NotPermitted, NotSignedIn, StaffNotSignedIn

SNAPSHOT_CACHE = "public, max-age=1, stale-while-revalidate=5"
_LIST_PART_MAX = 10_000
_BODY_BYTES_MAX = 8_192
_NO_STORE = CacheControlHeader(no_store=True)

AnyRequest = Request[Any, Any, Any]
CampaignId = Annotated[str, QueryParameter(pattern="^[a-z][a-z0-9-]{0,39}$", max_length=40)]
Start = Annotated[int, QueryParameter(ge=0, le=2**32)]
Token = Annotated[str | None, HeaderParameter(name=PLACE_HEADER, max_length=200, description="Your place.")]


@get(
    "/api/v1/queue",
    summary="The line as everybody sees it",
    description="Made anew each second and the same for everyone: with it and a place a client computes its number in "
    "line, its wait and its chance. Poll it once a second at most.",
    tags=["queue"],
    operation_id="SeeLine",
    sync_to_thread=False,
    responses=refuses(NoWaitingRoom),
)
def see_line(queue: Queue, request: AnyRequest) -> Response[bytes]:
    """Return the snapshot. Raises NoWaitingRoom."""
    snapshot = queue.snapshot()
    if snapshot is None:
        raise NoWaitingRoom("No line is open now; nothing to wait for.")
    headers = {"Cache-Control": SNAPSHOT_CACHE, "ETag": snapshot.etag}
    if matches(request.headers.get("if-none-match"), snapshot.etag):
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(snapshot.body, media_type="application/json", headers=headers)


@post(
    "/api/v1/places",
    summary="Take a place in line",
    description="One place an account, a browser (known by its cookie `tg_device` from signing in) and a way to pay "
    "(of whoever paid here before); asking again gives the same. Places taken before the sealing are drawn at the "
    "opening; later ones stand behind them, first come, first served, and so do those beyond what one network has in "
    "the draw (`kind` late, `lane` slow). While an attack is on, where the campaign asks everybody, and to a visit "
    "that looks like a program's, a place is given for work or a wait: an answer to `POST /api/v1/challenges`. Send "
    "`{}` first: a refusal `work-refused` says that one is needed.",
    tags=["queue"],
    operation_id="TakePlace",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_NO_STORE,
    responses=refuses(
        NotSignedIn, NoWaitingRoom, PlacesNotOpen, PlacesClosed, NetworkFull, OnePlaceAPerson, WorkRefused
    ),
)
async def take_place(
    *, data: Answer, queue: Queue, bots: Bots, defences: Defences, session: SessionFacts, request: AnyRequest
) -> Place:
    """Give the signed-in shopper a place, where it is asked for work or a wait (`POST /api/v1/challenges`)."""
    host, agent = request.client.host if request.client else "", request.headers.get("user-agent", "")
    return await give_place(
        answer=data, queue=queue, bots=bots, defences=defences, session=session, host=host, agent=agent
    )


async def give_place(
    *,
    answer: Answer,
    queue: Queue,
    bots: Bots,
    defences: Defences,
    session: SessionFacts,
    host: str,
    agent: str = "",
    page: PageSignals | None = None,
) -> Place:
    """Give a place to a session that asks from this address, here and on the page; the hot shortcut gathers them.

    Where everybody works, work is asked for before anything is weighed. What is weighed decides the lane, and whether
    work is asked for all the same; whoever does it, or waits, is refused by nothing that was weighed.
    """
    everybody = everybody_works(queue, defences)
    if everybody:
        await bots.require_work(session, answer)
    decision = await bots.weigh(session, host, agent, page)
    if not everybody and owes_work(queue, decision):
        await bots.require_work(session, answer)
    return await queue.take_place(ask_of(session, host, decision))


def everybody_works(queue: Queue, defences: Defences) -> bool:
    """Return whether a place costs everybody work or a wait now: an attack is on, or the campaign file says so."""
    return defences.active(Defence.WORK_FOR_ALL) or queue.work_asked() is WorkAsked.ALWAYS


def owes_work(queue: Queue, decision: Decision) -> bool:
    """Return whether a visit that was weighed pays for its place while others do not: it looks like a program's."""
    return decision.lane is Lane.SLOW and queue.work_asked() is not WorkAsked.ATTACK


def ask_of(session: SessionFacts, host: str, decision: Decision) -> AskPlace:
    """Return what a session that was weighed asks of the line."""
    return AskPlace(
        account_id=session.account_id,
        device=session.session_id,
        network=_network(host),
        slow=decision.lane is Lane.SLOW,
    )


@get(
    "/api/v1/places/current",
    summary="Where my place stands",
    description="Number in line, the wait as an interval that holds in eight of ten cases, and the chance that "
    "something is left. Asking, for this or for a pass, is the sign of life: ask every half minute. A place whose "
    "owner gave signs of life and then none for a minute is passed over when its turn comes: it stays called, and its "
    "owner may come within the claim window, or later once.",
    tags=["queue"],
    operation_id="SeePlace",
    cache_control=_NO_STORE,
    responses=refuses(NotSignedIn, PlaceRefused, PlacesNotOpen, NoWaitingRoom),
)
async def see_place(queue: Queue, session: SessionFacts, place: Token = None) -> PlaceView:
    """Return where the sender's place stands."""
    facts = queue.check_place(place, session.account_id, session.session_id)
    view = queue.view(facts)
    queue.beat(facts)
    return view


@post(
    "/api/v1/places/current/signs",
    status_code=HTTP_200_OK,
    summary="Give a sign of life",
    description="What the waiting room's page sends every half minute, and every two seconds once it is called: the "
    "cheapest way to keep a place, never refused for overload. The place may stand in the page's cookie. A called "
    "place goes in if there is room, as by asking for a pass; the pass itself comes from `POST /api/v1/passes`.",
    tags=["queue"],
    operation_id="GiveSign",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_NO_STORE,
    responses=refuses(NotSignedIn, PlaceRefused, PlaceSpent, NothingLeft, PlacesNotOpen, NoWaitingRoom, CampaignOver),
)
async def give_sign(queue: Queue, session: SessionFacts, request: AnyRequest, place: Token = None) -> Sign:
    """Note that the sender is there; return where the place stands. The hot shortcut answers in its stead."""
    token = place or request.cookies.get(PLACE_COOKIE)
    facts = queue.check_place(token, session.account_id, session.session_id)
    return await queue.come(facts, queue.beat(facts))


@delete(
    "/api/v1/places/current",
    summary="Leave the line",
    description="Gives up the place, and the pass that came of it. Again changes nothing.",
    tags=["queue"],
    operation_id="LeaveLine",
    responses=refuses(NotSignedIn, PlaceRefused, PlacesNotOpen, NoWaitingRoom),
)
async def leave_line(queue: Queue, session: SessionFacts, place: Token = None) -> None:
    """Give the sender's place up."""
    await queue.leave(queue.check_place(place, session.account_id, session.session_id))


@get(
    "/api/v1/places/current/receipt",
    summary="Why my place stands where it stands",
    description="The opening of the place's commitment, its path to the published root, the seed when it is revealed, "
    "and the rank that follows from them: everything to check the draw for oneself. Also after the sale, from whatever "
    "device the account is signed in on. `/line/receipt` is the same as a page.",
    tags=["queue"],
    operation_id="SeeReceipt",
    cache_control=_NO_STORE,
    responses=refuses(NotSignedIn, PlaceRefused),
)
async def see_receipt(queue: Queue, db: Database, session: SessionFacts, place: Token = None) -> Receipt:
    """Return the receipt of the sender's place."""
    async with db.read() as tx:
        return await queue.receipt_for(tx, place, session.account_id)


@get(
    "/api/v1/queue/sealed",
    summary="The sealed list",
    description="All places of the draw in the order of their serials, each as lane and commitment, with the root and "
    "the hash of the seed: whoever keeps a copy from before the opening can recompute every rank afterwards. "
    "`/line/draws/{campaign_id}` does it in a browser, `tidegate admission verify --url` on a command line.",
    tags=["queue"],
    operation_id="SealedList",
    cache_control=CacheControlHeader(public=True, max_age=60),
    responses=refuses(NotSealed, NoWaitingRoom),
)
async def sealed_list(
    queue: Queue,
    db: Database,
    campaign_id: CampaignId,
    start: Start = 0,
) -> SealedList:
    """Return a part of the sealed list. Raises NotSealed, NoWaitingRoom."""
    async with db.read() as tx:
        return await queue.sealed_list(tx, campaign_id, start, _LIST_PART_MAX)


@get(
    "/api/v1/queue/calls",
    summary="How far each lane was called, and when",
    description="All calls of a line in their order: drawn places with a rank below the threshold and late ones up to "
    "the number were called then at the latest. With sealed list and seed they tell when each place was called.",
    tags=["queue"],
    operation_id="CallsOfLine",
    cache_control=CacheControlHeader(public=True, max_age=60),
    responses=refuses(NoWaitingRoom),
)
async def calls(queue: Queue, db: Database, campaign_id: CampaignId, start: Start = 0) -> CallList:
    """Return a part of the calls. Raises NoWaitingRoom."""
    async with db.read() as tx:
        return await queue.call_list(tx, campaign_id, start, _LIST_PART_MAX)


@post(
    "/api/v1/passes",
    summary="Ask for a pass",
    description="An order needs a pass, sent as the header `Tidegate-Pass`. Where the campaign has a waiting room, a "
    f"called place (header `{PLACE_HEADER}`) gives it: 202 says why not yet. Otherwise passes are given for the asking "
    "from the beginning of the warm-up to the end of the wind-down, for ten minutes each; before that the answer is "
    "409 with `opens_at`. Ask again to renew.",
    tags=["queue"],
    operation_id="AskForPass",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_NO_STORE,
    responses=refuses(
        NotSignedIn, PlaceRefused, PlaceSpent, NothingLeft, PlacesNotOpen, PhaseNotOpen, CampaignOver, NoCampaign
    ),
)
async def ask_for_pass(
    *, queue: Queue, admission: Admission, campaign: Campaign, bots: Bots, session: SessionFacts, place: Token = None
) -> Response[Pass | Waiting]:
    """Give a pass to the signed-in shopper, or say why not yet."""
    if not queue.has_waiting_room():
        window = window_of(campaign)
        return Response(
            admission.issue_pass(session.account_id, session.session_id, window), status_code=HTTP_201_CREATED
        )
    facts = queue.check_place(place, session.account_id, session.session_id)
    try:
        answer = await queue.enter(facts)
    except PlaceSpent:
        bots.misused(TokenKind.PLACE, "used")
        raise
    if isinstance(answer, Entered):
        return Response(answer.given, status_code=HTTP_201_CREATED)
    queue.beat(facts)
    return Response(answer, status_code=HTTP_202_ACCEPTED, headers={"Retry-After": str(answer.retry_after)})


@get(
    "/api/v1/queue/figures",
    summary="The line in figures",
    description="For staff: waiting, inside, rates, abandonment, conversion.",
    tags=["queue"],
    security=[{"staff": []}],
    operation_id="LineFigures",
    cache_control=_NO_STORE,
    responses=refuses(StaffNotSignedIn, NotPermitted, NoWaitingRoom),
)
async def line_figures(queue: Queue, db: Database, staff: Staff) -> GateFigures:
    """Return what a campaign manager watches."""
    staff.require(Permission.GATE_VIEW)
    async with db.read() as tx:
        return await queue.figures(tx)


@get(
    "/api/v1/queue/watch",
    summary="The gate as staff watch it",
    description="The figures, why the gate calls as many as it does, each lane, and what moved in the last half hour.",
    tags=["queue"],
    security=[{"staff": []}],
    operation_id="WatchGate",
    cache_control=_NO_STORE,
    responses=refuses(StaffNotSignedIn, NotPermitted, NoWaitingRoom),
)
async def watch_gate(queue: Queue, db: Database, staff: Staff) -> GateWatch:
    """Return what the gate's page shows."""
    staff.require(Permission.GATE_VIEW)
    async with db.read() as tx:
        return await queue.watch(tx)


@get(
    "/api/v1/queue/acts",
    summary="What staff did with the gate",
    description="Newest first: who, when, what and why.",
    tags=["queue"],
    security=[{"staff": []}],
    operation_id="GateActs",
    cache_control=_NO_STORE,
    responses=refuses(StaffNotSignedIn, NotPermitted, NoWaitingRoom),
)
async def gate_acts(queue: Queue, db: Database, staff: Staff) -> list[GateRecord]:
    """Return the record of the gate."""
    staff.require(Permission.GATE_VIEW)
    async with db.read() as tx:
        return await queue.acts(tx)


@post(
    "/api/v1/queue/acts",
    status_code=HTTP_200_OK,
    summary="Hold, slow, open or close the gate, or tell the line something",
    description="Takes effect within two seconds, and is recorded with the reason.",
    tags=["queue"],
    security=[{"staff": []}],
    operation_id="SteerGate",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_NO_STORE,
    responses=refuses(StaffNotSignedIn, NotPermitted, NoWaitingRoom),
)
async def steer_gate(data: SteerGate, queue: Queue, db: Database, staff: Staff) -> GateRecord:
    """Record an act of staff."""
    staff.require(Permission.GATE_STEER)
    async with db.transaction() as tx:
        return await queue.steer(tx, data, staff.name)


@post(
    "/api/v1/queue/number",
    status_code=HTTP_200_OK,
    summary="Enter the public number of the draw",
    description="For staff or a hook: the number that this draw announced, as it was published, once it is drawn and "
    "before the opening's patience is over. The same again changes nothing; another is refused.",
    tags=["queue"],
    security=[{"staff": []}],
    operation_id="StateNumber",
    request_max_body_size=_BODY_BYTES_MAX,
    cache_control=_NO_STORE,
    responses=refuses(StaffNotSignedIn, NotPermitted, NumberNotWanted, NoWaitingRoom),
)
async def state_number(data: StateNumber, queue: Queue, db: Database, staff: Staff) -> NumberView:
    """Enter the number."""
    staff.require(Permission.GATE_STEER)
    async with db.transaction() as tx:
        return await queue.state_number(tx, data, staff.name)


def window_of(campaign: Campaign) -> PassWindow:
    """Return when the current campaign gives passes for the asking. Raises NoCampaign."""
    version = campaign.current()
    if version is None:
        raise NoCampaign("No campaign is published; no pass was given.")
    return PassWindow(
        campaign_id=version.campaign_id,
        opens_at=version.definition.phase(PhaseName.WARM_UP).starts_at,
        closes_at=version.definition.phase(PhaseName.WIND_DOWN).ends_at,
    )


def _network(host: str) -> str | None:
    """Return the network that places are counted by: /24 of IPv4, /48 of IPv6; None for this machine itself."""
    network = network_of(host, bytes_v4=3, bytes_v6=6)
    return network.hex() if network is not None else None


routes = [
    see_line,
    take_place,
    see_place,
    give_sign,
    leave_line,
    see_receipt,
    sealed_list,
    calls,
    ask_for_pass,
    line_figures,
    watch_gate,
    gate_acts,
    steer_gate,
    state_number,
]
