"""Bots for staff: what visits were decided to be and what was done, each decision with its reasons, and the undos."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from tidegate.app.console.bots_words import bots_words
from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.app.console.words import marked, refusal_words
from tidegate.app.pages.answer import see_other
from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.gate.bots.api import Bots
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import AccountId, Permission, Staff, StaffId
from tidegate.trust.identity.http import requires

SPANS = (15, 60, 24 * 60, 7 * 24 * 60)
"""Minutes that can be looked back."""
_REASON_MIN, _REASON_MAX = 3, 500
_DAYS_MAX = 30

Minutes = Annotated[int, QueryParameter(ge=1, le=43_200)]
Kind = Annotated[str, QueryParameter(pattern="^[a-z-]{0,40}$", max_length=40)]
Account = Annotated[str, QueryParameter(name="account", max_length=80)]


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """The form of an undo, as it was sent; `account_id` where it is not about one decision."""

    account_id: str = ""
    reason: str = ""
    days: str = ""


Sent = Annotated[Undoing, Body(media_type=RequestEncodingType.URL_ENCODED)]
_EMPTY = Undoing(days="7")
_SEEN = {"staff": requires(Permission.RISK_VIEW)}
_DECIDED = {"staff": requires(Permission.RISK_DECIDE)}


class BotsRoom:
    """The two pages of this room. Made for one request."""

    def __init__(
        self, request: PageRequest, desk: Desk, db: Database, clock: Clock, bots: Bots, identity: Identity
    ) -> None:
        self._request, self._desk, self._db = request, desk, db
        self._clock, self._bots, self._identity = clock, bots, identity

    async def overview(
        self,
        staff: Staff,
        *,
        minutes: int = 60,
        kind: str = "",
        account: str = "",
        form: Undoing = _EMPTY,
        fault: tuple[str, str] | None = None,
    ) -> Response[bytes]:
        """Show counts, newest decisions and undos; `fault` is the field that does not fit and the words for it."""
        account_id = account_of(account)
        async with self._db.read() as tx:
            since = self._clock.now() - timedelta(minutes=minutes)
            tallies, misuse = await self._bots.overview(tx, since), await self._bots.misuse(tx, since)
            asked = bool(account.strip())
            decisions = (
                await self._bots.examples(tx, kind or None, account_id=account_id) if account_id or not asked else []
            )
            undos = await self._bots.undone(tx)
            names = await self._names(tx)
        return await self._desk.show(
            self._request,
            staff,
            "bots",
            "bots.html",
            status=422 if fault else 200,
            tallies=tallies,
            visits=sum(tally.visits for tally in tallies),
            misuse={(each.token, each.reason): each.times for each in misuse},
            decisions=decisions,
            undos=undos,
            names=names,
            now=self._clock.now(),
            minutes=minutes,
            spans=SPANS,
            said=self._said(),
            kind=kind,
            account=account.strip(),
            form=form,
            fault=fault,
        )

    async def decision(
        self, staff: Staff, decision_id: UUID, form: Undoing = _EMPTY, fault: tuple[str, str] | None = None
    ) -> Response[bytes]:
        """Show one decision, scored again from what was recorded. Raises DecisionUnknown."""
        async with self._db.read() as tx:
            view = await self._bots.decision(tx, decision_id)
            names = await self._names(tx)
        return await self._desk.show(
            self._request,
            staff,
            "bots",
            "bot_decision.html",
            status=422 if fault else 200,
            view=view,
            said=self._said(),
            names=names,
            form=form,
            fault=fault,
        )

    async def undo(self, staff: Staff, decision_id: UUID, form: Undoing) -> Response[bytes]:
        """Clear the account and device of a decision, or show the form again with what does not fit."""
        fault = fault_of(form)
        if fault:
            return await self.decision(staff, decision_id, form, self._spoken(fault))
        ends_at = self._clock.now() + timedelta(days=int(form.days))
        async with self._db.transaction() as tx:
            await self._bots.undo(tx, staff.staff_id, decision_id, form.reason.strip(), ends_at)
        return see_other(f"/console/bots/{decision_id}")

    async def undo_account(self, staff: Staff, form: Undoing) -> Response[bytes]:
        """Clear an account, or show the form again with what does not fit."""
        account_id, fault = account_of(form.account_id), fault_of(form)
        if account_id is None:
            fault = (
                "account_id",
                marked("An account has an id of 36 signs, as an order shows it. Nothing was changed."),
            )
        if fault or account_id is None:
            return await self.overview(staff, form=form, fault=self._spoken(fault or ("", "")))
        ends_at = self._clock.now() + timedelta(days=int(form.days))
        try:
            async with self._db.transaction() as tx:
                await self._identity.require_account(tx, AccountId(account_id))
                await self._bots.undo_account(tx, staff.staff_id, account_id, form.reason.strip(), ends_at)
        except Refusal as refusal:
            said = refusal_words(self._desk.pages.messages(language(self._request)), refusal)[1]
            return await self.overview(staff, form=form, fault=("account_id", said))
        return see_other("/console/bots#undos")

    def _said(self) -> dict[str, dict[str, str]]:
        return bots_words(self._desk.pages.messages(language(self._request)))

    def _spoken(self, fault: tuple[str, str]) -> tuple[str, str]:
        return fault[0], self._desk.pages.messages(language(self._request)).gettext(fault[1])

    async def _names(self, tx: Tx) -> dict[StaffId, str]:
        return {each.staff.staff_id: each.staff.name for each in await self._identity.all_staff(tx)}


def provide_bots_room(
    *, request: PageRequest, desk: Desk, db: Database, clock: Clock, bots: Bots, identity: Identity
) -> BotsRoom:
    """Dependency `bots_room`."""
    return BotsRoom(request, desk, db, clock, bots, identity)


@get("/console/bots", include_in_schema=False, dependencies=_SEEN)
async def overview(
    bots_room: BotsRoom, staff: Staff, minutes: Minutes = 60, kind: Kind = "", asked: Account = ""
) -> Response[bytes]:
    """Show the counts of a span by kind and what was done, and the newest decisions of a kind or an account."""
    return await bots_room.overview(staff, minutes=minutes, kind=kind, account=asked)


@get("/console/bots/{decision_id:uuid}", include_in_schema=False, dependencies=_SEEN)
async def decision(bots_room: BotsRoom, staff: Staff, decision_id: UUID) -> Response[bytes]:
    """Show one decision with its reasons and its replay."""
    return await bots_room.decision(staff, decision_id)


@post(
    "/console/bots/{decision_id:uuid}/undo",
    include_in_schema=False,
    status_code=303,
    dependencies=_DECIDED,
    request_max_body_size=4_096,
)
async def undo(bots_room: BotsRoom, staff: Staff, decision_id: UUID, data: Sent) -> Response[bytes]:
    """Clear the account and device of a decision."""
    return await bots_room.undo(staff, decision_id, data)


@post(
    "/console/bots/accounts",
    include_in_schema=False,
    status_code=303,
    dependencies=_DECIDED,
    request_max_body_size=4_096,
)
async def undo_account(bots_room: BotsRoom, staff: Staff, data: Sent) -> Response[bytes]:
    """Clear an account on all its devices."""
    return await bots_room.undo_account(staff, data)


def account_of(text: str) -> UUID | None:
    """Return the account that a text names, or None."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def fault_of(form: Undoing) -> tuple[str, str] | None:
    """Return the field that does not fit and what is wrong with it, or None."""
    if not _REASON_MIN <= len(form.reason.strip()) <= _REASON_MAX:
        return "reason", marked("Give a reason of 3 to 500 characters; it is kept with the undo. Nothing was changed.")
    days = form.days.strip()
    if not (days.isascii() and days.isdigit() and len(days) <= len(str(_DAYS_MAX)) and 1 <= int(days) <= _DAYS_MAX):
        return "days", marked("An undo holds for 1 to 30 days. Nothing was changed.")
    return None
