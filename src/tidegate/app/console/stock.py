"""Stock for staff: the units of each SKU, that fewer are there than were sold, and who went without."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter

from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.app.console.words import marked, refusal_words
from tidegate.app.pages.answer import see_other
from tidegate.app.pages.form import sent_form
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.base.ids import Ids
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignVersion, Words
from tidegate.sale.shortfall.api import Shortfalls
from tidegate.sale.shortfall.contracts import REASON_MAX, REASON_MIN, Forecast, Remedy, StateShortfall
from tidegate.sale.stock.api import Stock
from tidegate.sale.stock.contracts import LevelPage
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires

PAGE_ROWS = 20
_ACTS_SHOWN = 20
_DIGITS_MAX = 9
_NO_LEVELS = LevelPage(rows=(), count=0, missing=0, short=0)


class CountForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form as it was sent; `confirmed` once a person has read what it does."""

    sku: str = ""
    there: str = ""
    remedy: str = Remedy.REFUND
    deliver_by: str = ""
    reason: str = ""
    key: str = ""
    confirmed: str = ""


class StockDesk:
    """Shows the pages of stock; dependency `stock_desk`."""

    def __init__(
        self,
        request: PageRequest,
        desk: Desk,
        stock: Stock,
        shortfalls: Shortfalls,
        campaign: Campaign,
        ids: Ids,
        db: Database,
    ) -> None:
        self._request = request
        self._desk = desk
        self._stock = stock
        self._shortfalls = shortfalls
        self._campaign = campaign
        self._ids = ids
        self._db = db

    @property
    def current(self) -> CampaignVersion | None:
        """The current campaign."""
        return self._campaign.current()

    async def form(self) -> CountForm:
        """Return the form that was sent."""
        sent = await sent_form(self._request)
        return CountForm(**{name: str(sent.get(name, ""))[: REASON_MAX + 1] for name in CountForm.__struct_fields__})

    async def show(
        self,
        staff: Staff,
        q: str = "",
        page: int = 1,
        form: CountForm | None = None,
        fault: tuple[str, str] | None = None,
        status: int = 200,
    ) -> Response[bytes]:
        """Return the page of all levels; `fault` is a field of the form and what is wrong with it."""
        current = self.current
        async with self._db.read() as tx:
            found = (
                await self._stock.page(tx, current.campaign_id, q, PAGE_ROWS, (page - 1) * PAGE_ROWS)
                if current
                else _NO_LEVELS
            )
            acts = await self._shortfalls.acts(tx, _ACTS_SHOWN)
        return await self._desk.show(
            self._request,
            staff,
            "stock",
            "stock.html",
            status=status,
            found=found,
            acts=acts,
            names=_names(current),
            q=q,
            page=page,
            pages=max(-(-found.count // PAGE_ROWS), 1),
            form=form or CountForm(sku=q),
            fault=fault,
        )

    async def refused(self, staff: Staff, form: CountForm, refusal: Refusal) -> Response[bytes]:
        """Return the page with the form and why not."""
        words = self._desk.pages.messages(language(self._request))
        return await self.show(staff, form=form, fault=("", refusal_words(words, refusal)[1]), status=refusal.status)

    async def misread(self, staff: Staff, form: CountForm, fault: tuple[str, str]) -> Response[bytes]:
        """Return the page with the form and the field that does not fit."""
        words = self._desk.pages.messages(language(self._request))
        return await self.show(staff, form=form, fault=(fault[0], words.gettext(fault[1])), status=422)

    async def confirm(self, staff: Staff, form: CountForm, command: StateShortfall) -> Response[bytes]:
        """Return what it would do, to be confirmed under a key of its own. Raises as stating it does."""
        assert self.current is not None, "asked for by who has a campaign"
        async with self._db.read() as tx:
            seen: Forecast = await self._shortfalls.forecast(tx, self.current.campaign_id, command)
        return await self._desk.show(
            self._request,
            staff,
            "stock",
            "stock_confirm.html",
            form=form,
            command=command,
            seen=seen,
            key=f"count-{self._ids.new()}",
            names=_names(self.current),
        )

    async def act(self, staff: Staff, act_id: UUID) -> Response[bytes]:
        """Return the page of one act. Raises ShortfallUnknown."""
        async with self._db.read() as tx:
            told = await self._shortfalls.told(tx, act_id)
            lines = await self._shortfalls.lines(tx, act_id)
            levels = await self._stock.levels(tx, told.act.campaign_id, [told.act.sku])
        return await self._desk.show(
            self._request,
            staff,
            "stock",
            "shortfall.html",
            told=told,
            lines=lines,
            level=levels[told.act.sku],
            names=_names(self.current),
        )


def _names(current: CampaignVersion | None) -> Mapping[str, Words]:
    return {entry.sku: entry.name for entry in current.definition.goods} if current else {}


def read(form: CountForm) -> StateShortfall | tuple[str, str]:
    """Return what a form states, or the field that does not fit and what is wrong with it."""
    sku, there, reason, day = form.sku.strip(), form.there.strip(), form.reason.strip(), form.deliver_by.strip()
    if not 1 <= len(sku) <= 64:
        return "sku", marked("Name the SKU. Nothing was changed.")
    if not (there.isascii() and there.isdigit() and len(there) <= _DIGITS_MAX):
        return "there", marked("Say how many units there are, as a whole number. Nothing was changed.")
    if form.remedy not in tuple(Remedy):
        return "remedy", marked("Choose what paid orders get. Nothing was changed.")
    if not REASON_MIN <= len(reason) <= REASON_MAX:
        return "reason", marked("Say why in 3 to 200 characters: shoppers read it. Nothing was changed.")
    deliver_by = None
    if form.remedy == Remedy.LATER:
        try:
            deliver_by = date.fromisoformat(day)
        except ValueError:
            return "deliver_by", marked("Name the day of the later delivery. Nothing was changed.")
    return StateShortfall(sku=sku, there=int(there), remedy=Remedy(form.remedy), deliver_by=deliver_by, reason=reason)


def open_stock_desk(
    request: PageRequest,
    desk: Desk,
    stock: Stock,
    shortfalls: Shortfalls,
    campaign: Campaign,
    ids: Ids,
    db: Database,
) -> StockDesk:
    """Dependency `stock_desk`."""
    return StockDesk(request, desk, stock, shortfalls, campaign, ids, db)


_VIEW = {"staff": requires(Permission.STOCK_VIEW)}


@get("/console/stock", include_in_schema=False, dependencies=_VIEW)
async def overview(
    stock_desk: StockDesk,
    staff: Staff,
    q: Annotated[str, QueryParameter(max_length=64)] = "",
    page: Annotated[int, QueryParameter(ge=1, le=2_000)] = 1,
) -> Response[bytes]:
    """Show the units of each SKU, those that are short first, and the latest shortfalls."""
    return await stock_desk.show(staff, q.strip(), page)


@post(
    "/console/stock/shortfalls",
    include_in_schema=False,
    status_code=200,
    dependencies={"staff": requires(Permission.STOCK_ADJUST)},
    request_max_body_size=4_096,
)
async def state(stock_desk: StockDesk, staff: Staff, shortfalls: Shortfalls) -> Response[bytes]:
    """Show what a count would do; once confirmed, state it in this person's name."""
    form = await stock_desk.form()
    command = read(form)
    if isinstance(command, tuple):
        return await stock_desk.misread(staff, form, command)
    current = stock_desk.current
    if current is None:
        return await stock_desk.show(staff)
    try:
        if form.confirmed != "yes":
            return await stock_desk.confirm(staff, form, command)
        told = await shortfalls.state(form.key, current.campaign_id, command, staff.name)
    except Refusal as refusal:
        return await stock_desk.refused(staff, form, refusal)
    return see_other(f"/console/stock/shortfalls/{told.act.act_id}")


@get("/console/stock/shortfalls/{act_id:uuid}", include_in_schema=False, dependencies=_VIEW)
async def shortfall(stock_desk: StockDesk, staff: Staff, act_id: UUID) -> Response[bytes]:
    """Show one shortfall with every order that went without."""
    return await stock_desk.act(staff, act_id)


routes = [overview, state, shortfall]
