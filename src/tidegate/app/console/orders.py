"""Orders for staff: the list with search, filters, totals and export, and each order's whole story."""

import csv
import io
import re
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.app.console.story import Stories, Story, address
from tidegate.app.console.words import refusal_words
from tidegate.app.pages.language import Language
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.base.money import format_money
from tidegate.offer.campaign.api import Campaign
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.ordering.contracts import OrderFilter, OrderRow, OrderSort, OrderState
from tidegate.sale.repricing.api import Repricing
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import AccountId, AddressId, Permission, Staff
from tidegate.trust.identity.http import requires

PAGE_ROWS = 50
PAGES_MAX = 2_000
EXPORT_ROWS_MAX = 10_000

_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{6,20}")

Query = Annotated[str, QueryParameter(max_length=80)]
StateName = Annotated[str, QueryParameter(max_length=20)]
PageNumber = Annotated[int, QueryParameter(ge=1, le=PAGES_MAX)]


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What the person asked for, as it stands in the address of the page."""

    q: str = ""
    state: OrderState | None = None
    sort: OrderSort = OrderSort.NEWEST
    page: int = 1

    def link(self, **other: object) -> str:
        """Return the address of the same list with something else changed; another filter begins at page one."""
        asked = {"q": self.q, "state": self.state, "sort": self.sort, "page": 1} | other
        kept = {name: str(value) for name, value in asked.items() if value and (name, value) not in _DEFAULTS}
        return "/console/orders" + (f"?{urlencode(kept)}" if kept else "")

    @property
    def export(self) -> str:
        """Return the address of the same list as a file."""
        query = self.link().partition("?")[2]
        return "/console/orders.csv" + (f"?{query}" if query else "")


_DEFAULTS = {("sort", OrderSort.NEWEST), ("page", 1)}


@get("/console/orders", include_in_schema=False, dependencies={"staff": requires(Permission.ORDERS_VIEW)})
async def orders(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    ordering: Ordering,
    identity: Identity,
    q: Query = "",
    order_state: Annotated[str, QueryParameter(name="state", max_length=20)] = "",
    sort: StateName = "newest",
    page: PageNumber = 1,
) -> Response[bytes]:
    """Show a page of orders."""
    search = _search(q, order_state, sort, page)
    async with db.read() as tx:
        found = await ordering.find(tx, await _filter(tx, identity, search))
    pages = max(-(-found.count // PAGE_ROWS), 1)
    return await desk.show(
        request,
        staff,
        "orders",
        "orders.html",
        search=search,
        found=found,
        pages=min(pages, PAGES_MAX),
        states=OrderState,
    )


@get("/console/orders.csv", include_in_schema=False, dependencies={"staff": requires(Permission.ORDERS_VIEW)})
async def export(
    *,
    request: PageRequest,
    staff: Staff,
    db: Database,
    ordering: Ordering,
    identity: Identity,
    q: Query = "",
    order_state: Annotated[str, QueryParameter(name="state", max_length=20)] = "",
    sort: StateName = "newest",
) -> Response[bytes]:
    """Return the list as CSV, at most 10,000 rows; who may not see personal data gets a shortened buyer id."""
    search = _search(q, order_state, sort, 1)
    async with db.read() as tx:
        asked = await _filter(tx, identity, search, rows=EXPORT_ROWS_MAX)
        found = await ordering.find(tx, asked)
    whole = staff.may(Permission.ORDERS_PERSONAL_DATA_VIEW)
    body = _csv(found.rows, language(request), whole_ids=whole)
    headers = {
        "Content-Disposition": 'attachment; filename="tidegate-orders.csv"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(body, headers=headers, media_type="text/csv")


def _csv(rows: tuple[OrderRow, ...], spoken: Language, *, whole_ids: bool) -> bytes:
    """Return rows as CSV with a byte order mark, so that spreadsheets read Chinese; times in UTC."""
    text = io.StringIO()
    write = csv.writer(text)
    write.writerow(
        ["order", "state", "total", "refunded", "currency", "total_written", "buyer", "placed_at", "paid_at"]
    )
    for row in rows:
        written = format_money(row.total, row.currency, spoken.locale)
        buyer = str(row.buyer_id) if whole_ids else f"…{str(row.buyer_id)[-6:]}"
        paid_at = row.paid_at.isoformat() if row.paid_at else ""
        write.writerow(
            [
                row.order_id,
                row.state.value,
                row.total,
                row.refunded,
                row.currency,
                written,
                buyer,
                row.placed_at.isoformat(),
                paid_at,
            ]
        )
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _search(q: str, state: str, sort: str, page: int) -> Search:
    """Read the address; a state or order that does not exist is left out, as if it had not been asked for."""
    return Search(
        q=q.strip(),
        state=OrderState(state) if state in tuple(OrderState) else None,
        sort=OrderSort(sort) if sort in tuple(OrderSort) else OrderSort.NEWEST,
        page=page,
    )


async def _filter(tx: Tx, identity: Identity, search: Search, rows: int = PAGE_ROWS) -> OrderFilter:
    """Return the filter; a text that reads like a phone number finds its account through the blind index."""
    buyers: tuple[UUID, ...] | None = None
    text = search.q
    if _PHONE.fullmatch(text):
        account = await identity.account_of_phone(tx, text)
        buyers, text = ((account,) if account else ()), ""
    return OrderFilter(
        state=search.state,
        text=text,
        buyer_ids=buyers,
        sort=search.sort,
        limit=rows,
        offset=(search.page - 1) * PAGE_ROWS,
    )


class Revealed(msgspec.Struct, frozen=True, kw_only=True):
    """Personal data of one order, shown once."""

    phone: str
    name: str
    address: str
    address_phone: str


class Reveal(msgspec.Struct, frozen=True):
    """The form that asks to see personal data."""

    purpose: Annotated[str, msgspec.Meta(max_length=300)] = ""


_STORY = {"staff": requires(Permission.ORDERS_VIEW)}


@get("/console/orders/{order_id:uuid}", include_in_schema=False, dependencies=_STORY)
async def order(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    order_id: UUID,
    stories: Stories,
    repricing: Repricing,
    campaign: Campaign,
    priced_again: Annotated[bool, QueryParameter(name="again")] = False,
) -> Response[bytes]:
    """Show an order's whole story, personal data masked; with `again` also what it comes to when priced again."""
    async with db.read() as tx:
        told = await stories.tell(tx, order_id)
        again = await repricing.reprice(tx, order_id) if priced_again else None
    current = campaign.current()
    has_rules = current is not None and current.campaign_id == told.order.campaign_id
    return await desk.show(
        request,
        staff,
        "orders",
        "order.html",
        told=told,
        again=again,
        has_rules=has_rules,
        revealed=None,
        fault=None,
        purpose="",
        draft=None,
    )


@post(
    "/console/orders/{order_id:uuid}/reveal",
    include_in_schema=False,
    status_code=200,
    dependencies={"staff": requires(Permission.ORDERS_PERSONAL_DATA_VIEW)},
    request_max_body_size=4_096,
)
async def reveal(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    order_id: UUID,
    stories: Stories,
    identity: Identity,
    data: Annotated[Reveal, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Show the order with its personal data for one stated purpose; the look is recorded in the same transaction."""
    revealed, fault = None, None
    async with db.transaction() as tx:
        told = await stories.tell(tx, order_id)
        try:
            revealed = await _reveal(tx, identity, staff, told, data.purpose)
        except Refusal as refusal:
            _, fault = refusal_words(desk.pages.messages(language(request)), refusal)
    async with db.read() as tx:
        told = await stories.tell(tx, order_id)
    return await desk.show(
        request,
        staff,
        "orders",
        "order.html",
        status=422 if fault else 200,
        told=told,
        revealed=revealed,
        fault=fault,
        purpose=data.purpose,
        draft=None,
    )


async def _reveal(tx: Tx, identity: Identity, staff: Staff, told: Story, purpose: str) -> Revealed:
    async with tx.transaction():
        await identity.record_view(tx, staff, f"order:{told.order.order_id}", purpose)
        account = AccountId(told.order.buyer_id)
        phone = await identity.phone_for(tx, staff, account, purpose)
        saved = await address(tx, identity, account, AddressId(told.order.address_id))
    place = saved.address if saved else None
    return Revealed(
        phone=phone,
        name=place.name if place else "",
        address=f"{place.province} {place.city} {place.district} {place.street}" if place else "",
        address_phone=place.phone if place else "",
    )
