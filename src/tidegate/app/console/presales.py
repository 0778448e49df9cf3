"""Presales for staff: what is left of each, the list of reservations, one reservation, and that it cannot be met."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.app.console.words import refusal_words
from tidegate.app.pages.answer import see_other
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.sale.payment.api import Payment
from tidegate.sale.presale.api import Presales
from tidegate.sale.presale.contracts import REASON_MAX, ReservationFilter, ReservationState
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires

PAGE_ROWS = 50
PAGES_MAX = 2_000

_VIEW = {"staff": requires(Permission.ORDERS_VIEW)}


class Reason(msgspec.Struct, frozen=True):
    """Why the shop cannot deliver."""

    reason: Annotated[str, msgspec.Meta(max_length=REASON_MAX)] = ""


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What the person asked for, as it stands in the address of the page."""

    q: str = ""
    state: ReservationState | None = None
    page: int = 1

    def link(self, page: int) -> str:
        """Return the address of another page of the same list."""
        asked = {"q": self.q, "state": self.state or "", "page": str(page) if page > 1 else ""}
        kept = {name: str(value) for name, value in asked.items() if value}
        return "/console/presales" + (f"?{urlencode(kept)}" if kept else "")


@get("/console/presales", include_in_schema=False, dependencies=_VIEW)
async def overview(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    presales: Presales,
    q: Annotated[str, QueryParameter(max_length=80)] = "",
    reservation_state: Annotated[str, QueryParameter(name="state", max_length=20)] = "",
    page: Annotated[int, QueryParameter(ge=1, le=PAGES_MAX)] = 1,
) -> Response[bytes]:
    """Show the presales with what is left of each, and a page of reservations."""
    state = ReservationState(reservation_state) if reservation_state in tuple(ReservationState) else None
    search = Search(q=q.strip(), state=state, page=page)
    asked = ReservationFilter(state=state, text=search.q, limit=PAGE_ROWS, offset=(page - 1) * PAGE_ROWS)
    async with db.read() as tx:
        now = await presales.now(tx)
        found = await presales.find(tx, asked)
    pages = min(max(-(-found.count // PAGE_ROWS), 1), PAGES_MAX)
    return await desk.show(
        request, staff, "presales", "presales.html", search=search, presales=now, found=found, pages=pages
    )


@get("/console/presales/{reservation_id:uuid}", include_in_schema=False, dependencies=_VIEW)
async def reservation(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    presales: Presales,
    payment: Payment,
    reservation_id: UUID,
) -> Response[bytes]:
    """Show one reservation with its payments and every step."""
    return await _show(request, desk, staff, db, presales, payment, reservation_id)


@post(
    "/console/presales/{reservation_id:uuid}/cannot-deliver",
    include_in_schema=False,
    dependencies={"staff": requires(Permission.PAYMENTS_REFUND)},
    request_max_body_size=4_096,
)
async def cannot_deliver(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    presales: Presales,
    payment: Payment,
    reservation_id: UUID,
    data: Annotated[Reason, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Give double the deposit back; the reason is recorded with the name and told to the buyer."""
    try:
        async with db.transaction() as tx:
            await presales.cannot_deliver(tx, reservation_id, staff.name, data.reason)
    except Refusal as refusal:
        return await _show(request, desk, staff, db, presales, payment, reservation_id, refusal)
    return see_other(f"/console/presales/{reservation_id}")


async def _show(
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    presales: Presales,
    payment: Payment,
    reservation_id: UUID,
    refusal: Refusal | None = None,
) -> Response[bytes]:
    async with db.transaction() as tx:
        found = await presales.reservation(tx, reservation_id)
        steps = await presales.transitions(tx, reservation_id)
        views = [await payment.view(tx, found.deposit_id)]
        if found.balance_asked_at is not None:
            views.append(await payment.view(tx, found.reservation_id))
    words = desk.pages.messages(language(request))
    return await desk.show(
        request,
        staff,
        "presales",
        "reservation.html",
        status=refusal.status if refusal else 200,
        found=found,
        steps=steps,
        views=views,
        fault=refusal_words(words, refusal)[1] if refusal else None,
    )


routes = [overview, reservation, cannot_deliver]
