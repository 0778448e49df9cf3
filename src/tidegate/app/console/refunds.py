"""Refunds by staff: units of an order by line and quantity, with a reason and a preview; and what was protected."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.app.console.story import Stories, Story
from tidegate.app.console.words import refusal_words
from tidegate.app.pages.answer import see_other
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.offer.pricing.api import RefundPlan
from tidegate.sale.ordering.api import Ordering, next_refund_key
from tidegate.sale.ordering.contracts import RefundLine
from tidegate.sale.payment.api import Payment
from tidegate.sale.protection.api import Protection
from tidegate.sale.protection.contracts import AskedBy
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires

PAGE_ROWS = 50
REASON_MAX = 200
_KEY_MAX = 64
_FORM_BYTES_MAX = 16_384


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as it stands in the form: units by SKU, the reason, what it would give back, its key, what is wrong."""

    units: Mapping[str, int] = {}
    reason: str = ""
    key: str = ""
    plan: RefundPlan | None = None
    fault: str | None = None


class RefundDesk:
    """Shows an order with a refund that is being written; dependency `refund_desk`."""

    def __init__(self, request: PageRequest, desk: Desk, stories: Stories, ordering: Ordering, db: Database) -> None:
        self._request = request
        self._desk = desk
        self._stories = stories
        self._ordering = ordering
        self._db = db

    async def key(self) -> str | None:
        """Return the key that the form was given: sent twice, it is one refund."""
        return str((await self._request.form()).get("key", ""))[:_KEY_MAX] or None

    async def form(self) -> tuple[dict[str, int], str, int | None]:
        """Return the units, the reason and the amount that was shown, as the form says them."""
        sent = await self._request.form()
        units = {name.removeprefix("units-"): _whole(sent[name]) for name in sent if name.startswith("units-")}
        shown = sent.get("amount")
        reason = str(sent.get("reason", "")).strip()[:REASON_MAX]
        return {sku: count for sku, count in units.items() if count}, reason, None if shown is None else _whole(shown)

    async def show(
        self, staff: Staff, order_id: UUID, units: Mapping[str, int], reason: str, refusal: Refusal | None = None
    ) -> Response[bytes]:
        """Return the order's page with what the units would give back, or why not."""
        plan = None
        async with self._db.read() as tx:
            told = await self._stories.tell(tx, order_id)
            try:
                if units:
                    plan = await self._ordering.plan_refund(tx, order_id, None, lines_of(units))
            except Refusal as found:
                refusal = refusal or found
        words = self._desk.pages.messages(language(self._request))
        fault = refusal_words(words, refusal)[1] if refusal else None
        if not units and refusal is None:
            fault = words.gettext("Choose at least one unit. Nothing was refunded.")
        key = next_refund_key(told.refunds)
        draft = Draft(units=units, reason=reason, key=key, plan=plan, fault=fault)
        return await self._show(staff, told, draft, refusal.status if refusal else 200)

    async def _show(self, staff: Staff, told: Story, draft: Draft, status: int) -> Response[bytes]:
        return await self._desk.show(
            self._request,
            staff,
            "orders",
            "order.html",
            status=status,
            told=told,
            revealed=None,
            fault=None,
            purpose="",
            draft=draft,
        )


def lines_of(units: Mapping[str, int]) -> tuple[RefundLine, ...]:
    """Return units as the lines of a refund."""
    return tuple(RefundLine(sku, count) for sku, count in units.items())


def _whole(text: object) -> int:
    """Return the whole number that a field holds; 0 where it is none."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 13 else 0


def open_refund_desk(
    request: PageRequest, desk: Desk, stories: Stories, ordering: Ordering, db: Database
) -> RefundDesk:
    """Dependency `refund_desk`."""
    return RefundDesk(request, desk, stories, ordering, db)


_REFUNDS = {"staff": requires(Permission.PAYMENTS_REFUND)}


@post(
    "/console/orders/{order_id:uuid}/refund/preview",
    include_in_schema=False,
    status_code=200,
    dependencies=_REFUNDS,
    request_max_body_size=_FORM_BYTES_MAX,
)
async def preview(refund_desk: RefundDesk, staff: Staff, order_id: UUID) -> Response[bytes]:
    """Show what the units would give back; nothing is changed."""
    units, reason, _ = await refund_desk.form()
    return await refund_desk.show(staff, order_id, units, reason)


@post(
    "/console/orders/{order_id:uuid}/refund",
    include_in_schema=False,
    dependencies=_REFUNDS,
    request_max_body_size=_FORM_BYTES_MAX,
)
async def refund(
    refund_desk: RefundDesk, staff: Staff, order_id: UUID, ordering: Ordering, db: Database
) -> Response[bytes]:
    """Refund the units for the amount that was shown, in this person's name and for this reason."""
    units, reason, shown = await refund_desk.form()
    if not units or shown is None:
        return await refund_desk.show(staff, order_id, units, reason)
    try:
        async with db.transaction() as tx:
            lines, key = lines_of(units), await refund_desk.key()
            await ordering.refund(tx, order_id, None, lines, reason, by=staff.name, expected=shown, key=key)
    except Refusal as refusal:
        return await refund_desk.show(staff, order_id, units, reason, refusal)
    return see_other(f"/console/orders/{order_id}#refunds")


@post(
    "/console/orders/{order_id:uuid}/refunds/{refund_id:uuid}/again",
    include_in_schema=False,
    dependencies=_REFUNDS,
    request_max_body_size=_FORM_BYTES_MAX,
)
async def send_again(
    refund_desk: RefundDesk, staff: Staff, order_id: UUID, refund_id: UUID, payment: Payment, db: Database
) -> Response[bytes]:
    """Send a refund that the channel refused again, in this person's name."""
    try:
        async with db.transaction() as tx:
            await payment.send_again(tx, refund_id, staff.name)
    except Refusal as refusal:
        return await refund_desk.show(staff, order_id, {}, "", refusal)
    return see_other(f"/console/orders/{order_id}#refunds")


@post(
    "/console/orders/{order_id:uuid}/protection",
    include_in_schema=False,
    dependencies=_REFUNDS,
    request_max_body_size=_FORM_BYTES_MAX,
)
async def protect(
    refund_desk: RefundDesk, staff: Staff, order_id: UUID, protection: Protection, db: Database
) -> Response[bytes]:
    """Give the difference to today's price back, in this person's name; where nothing is due, the page says why."""
    try:
        async with db.transaction() as tx:
            await protection.claim(tx, order_id, by=AskedBy.STAFF, staff=staff.name)
    except Refusal as refusal:
        return await refund_desk.show(staff, order_id, {}, "", refusal)
    return see_other(f"/console/orders/{order_id}#refunds")


@get("/console/protection", include_in_schema=False, dependencies={"staff": requires(Permission.PAYMENTS_VIEW)})
async def protected(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    protection: Protection,
    page: Annotated[int, QueryParameter(ge=1, le=2_000)] = 1,
) -> Response[bytes]:
    """Show what price protection gave back, latest first."""
    async with db.read() as tx:
        found = await protection.grants(tx, PAGE_ROWS, (page - 1) * PAGE_ROWS)
    pages = max(-(-found.count // PAGE_ROWS), 1)
    return await desk.show(
        request,
        staff,
        "payments",
        "protection.html",
        found=found,
        page=page,
        pages=pages,
        link=lambda number: f"/console/protection?page={number}",
    )
