"""The JSON doors of bots: a challenge for a shopper; what was decided, and its undo, for the security officer."""

from datetime import datetime, timedelta
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.datastructures import CacheControlHeader
from litestar.params import Parameter
from msgspec import Meta

from tidegate.base.clock import Clock
from tidegate.base.db import Database
from tidegate.base.openapi import refuses
from tidegate.gate.bots.api import Bots
from tidegate.gate.bots.contracts import Challenge, Decision, DecisionView, PageSignals, Tally, Undo
from tidegate.gate.bots.errors import DecisionUnknown, UndoNotValid
from tidegate.trust.identity.contracts import Permission, SessionFacts, Staff
from tidegate.trust.identity.errors import NotPermitted, NotSignedIn, StaffNotSignedIn

AnyRequest: TypeAlias = Request[Any, Any, Any]

_PRIVATE = CacheControlHeader(no_store=True)


class UndoDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Clear the account and device of a decision until a moment."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, examples=["a school shares these computers"])]
    ends_at: Annotated[datetime, Meta(tz=True)]


@post(
    "/api/v1/challenges",
    tags=["bots"],
    operation_id="AskForChallenge",
    summary="Ask for a challenge",
    description="A queue number needs an answer: solve `work`, or wait until `wait_until` and send `wait_ticket`. One "
    "challenge buys one number, for this session. Buying asks for none.",
    request_max_body_size=2_048,
    cache_control=_PRIVATE,
    responses=refuses(NotSignedIn),
)
async def ask_for_challenge(request: AnyRequest, session: SessionFacts, bots: Bots, data: PageSignals) -> Challenge:
    """Give a challenge to the signed-in shopper."""
    host = request.client.host if request.client else ""
    return await bots.challenge(session, data, host, request.headers.get("user-agent", ""))


@get(
    "/api/v1/bots",
    tags=["bots"],
    operation_id="SeeBots",
    summary="What visits were decided to be",
    cache_control=_PRIVATE,
    responses=refuses(StaffNotSignedIn, NotPermitted),
)
async def see_bots(
    staff: Staff, db: Database, clock: Clock, bots: Bots, minutes: Annotated[int, Parameter(ge=1, le=43_200)] = 60
) -> list[Tally]:
    """Return the counts of the last minutes."""
    staff.require(Permission.RISK_VIEW)
    async with db.read() as tx:
        return await bots.overview(tx, clock.now() - timedelta(minutes=minutes))


@get(
    "/api/v1/bots/decisions",
    tags=["bots"],
    operation_id="ListBotDecisions",
    summary="Examples",
    cache_control=_PRIVATE,
    responses=refuses(StaffNotSignedIn, NotPermitted),
)
async def list_decisions(
    staff: Staff, db: Database, bots: Bots, kind: Annotated[str | None, Parameter(pattern="^[a-z-]{1,40}$")] = None
) -> list[Decision]:
    """Return the newest recorded decisions."""
    staff.require(Permission.RISK_VIEW)
    async with db.read() as tx:
        return await bots.examples(tx, kind)


@get(
    "/api/v1/bots/decisions/{decision_id:uuid}",
    tags=["bots"],
    operation_id="SeeBotDecision",
    summary="One decision, its reasons and its replay",
    cache_control=_PRIVATE,
    responses=refuses(StaffNotSignedIn, NotPermitted, DecisionUnknown),
)
async def see_decision(staff: Staff, db: Database, bots: Bots, decision_id: UUID) -> DecisionView:
    """Return one decision."""
    staff.require(Permission.RISK_VIEW)
    async with db.read() as tx:
        return await bots.decision(tx, decision_id)


@post(
    "/api/v1/bots/decisions/{decision_id:uuid}/undo",
    tags=["bots"],
    operation_id="UndoBotDecision",
    summary="Undo a decision",
    cache_control=_PRIVATE,
    responses=refuses(StaffNotSignedIn, NotPermitted, DecisionUnknown, UndoNotValid),
)
async def undo_decision(staff: Staff, db: Database, bots: Bots, decision_id: UUID, data: UndoDecision) -> Undo:
    """Clear the account and device until the given moment."""
    staff.require(Permission.RISK_DECIDE)
    async with db.transaction() as tx:
        return await bots.undo(tx, staff.staff_id, decision_id, data.reason, data.ends_at)


routes = [ask_for_challenge, see_bots, list_decisions, see_decision, undo_decision]
