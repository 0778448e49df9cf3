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
from tidegate.gate.bots.contracts import (
    Challenge,
    Course,
    Decision,
    DecisionView,
    MisuseTally,
    PageSignals,
    Tally,
    Undo,
)
from tidegate.gate.bots.errors import DecisionUnknown, UndoNotValid
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import AccountId, Permission, SessionFacts, Staff
from tidegate.trust.identity.errors import AccountUnknown, NotPermitted, NotSignedIn, StaffNotSignedIn

AnyRequest: TypeAlias = Request[Any, Any, Any]

_PRIVATE = CacheControlHeader(no_store=True)


class UndoDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Clear an account, or the account and device of a decision, until a moment."""

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
    "/api/v1/bots/course",
    tags=["bots"],
    operation_id="SeeBotsCourse",
    summary="What visits were decided to be, over time",
    description="The same counts in spans of a minute or longer, at most a hundred of them.",
    cache_control=_PRIVATE,
    responses=refuses(StaffNotSignedIn, NotPermitted),
)
async def see_course(
    staff: Staff, db: Database, bots: Bots, minutes: Annotated[int, Parameter(ge=1, le=43_200)] = 60
) -> Course:
    """Return the counts of the last minutes, span by span."""
    staff.require(Permission.RISK_VIEW)
    async with db.read() as tx:
        return await bots.course(tx, minutes)


@get(
    "/api/v1/bots/misuse",
    tags=["bots"],
    operation_id="SeeTokenMisuse",
    summary="Passes, places and answers that were refused, and why",
    cache_control=_PRIVATE,
    responses=refuses(StaffNotSignedIn, NotPermitted),
)
async def see_misuse(
    staff: Staff, db: Database, clock: Clock, bots: Bots, minutes: Annotated[int, Parameter(ge=1, le=43_200)] = 60
) -> list[MisuseTally]:
    """Return the counts of the last minutes."""
    staff.require(Permission.RISK_VIEW)
    async with db.read() as tx:
        return await bots.misuse(tx, clock.now() - timedelta(minutes=minutes))


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


@post(
    "/api/v1/bots/accounts/{account_id:uuid}/undo",
    tags=["bots"],
    operation_id="UndoBotAccount",
    summary="Clear an account",
    description="For a person who writes in: whatever was decided about the account, nothing speaks against it then.",
    cache_control=_PRIVATE,
    responses=refuses(StaffNotSignedIn, NotPermitted, AccountUnknown, UndoNotValid),
)
async def undo_account(
    *, staff: Staff, db: Database, bots: Bots, identity: Identity, account_id: UUID, data: UndoDecision
) -> Undo:
    """Clear the account on all its devices until the given moment."""
    staff.require(Permission.RISK_DECIDE)
    async with db.transaction() as tx:
        await identity.require_account(tx, AccountId(account_id))
        return await bots.undo_account(tx, staff.staff_id, account_id, data.reason, data.ends_at)


@get(
    "/api/v1/bots/undos",
    tags=["bots"],
    operation_id="ListBotUndos",
    summary="What was undone",
    description="By whom, why and until when, for thirty days; newest first.",
    cache_control=_PRIVATE,
    responses=refuses(StaffNotSignedIn, NotPermitted),
)
async def list_undos(staff: Staff, db: Database, bots: Bots) -> list[Undo]:
    """Return the newest undos."""
    staff.require(Permission.RISK_VIEW)
    async with db.read() as tx:
        return await bots.undone(tx)


routes = [
    ask_for_challenge,
    see_bots,
    see_course,
    see_misuse,
    list_decisions,
    see_decision,
    undo_decision,
    undo_account,
    list_undos,
]
