"""Shoppers for staff: the segments and whom they hold, and of one shopper what the shop knows, with his points."""

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter, QueryParameter

from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.app.console.words import refusal_words
from tidegate.app.pages.answer import see_other
from tidegate.app.pages.form import sent_form
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.api import Campaign
from tidegate.sale.ordering.api import Ordering
from tidegate.sale.points.api import Points
from tidegate.trust.identity.api import Identity, read_members, read_numbers
from tidegate.trust.identity.contracts import AccountId, ListHow, Member, Permission, Staff
from tidegate.trust.identity.errors import MembersFaulty, TiersNamed
from tidegate.trust.identity.http import requires

ENTRIES_SHOWN = 30
HOLDERS_SHOWN = 60
CHANGES_SHOWN = 20
NUMBERS_MAX = 100_000
"""Numbers in one form; more of them at the command line."""
FORM_BYTES_MAX = 4_000_000
_FAULT_LINE = re.compile(r"line (\d+):")
_PAGES_MAX = 2_000

_VIEW = {"staff": requires(Permission.SHOPPERS_VIEW)}
Page = Annotated[int, QueryParameter(ge=1, le=_PAGES_MAX)]
Name = Annotated[str, PathParameter(pattern="^[a-z][a-z0-9-]{0,39}$", max_length=40)]


class NumbersForm(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a segment or a tier, which `name` names, as it stands in the form."""

    name: str = ""
    how: ListHow = ListHow.ADD
    numbers: str = ""
    reason: str = ""


class Grant(msgspec.Struct, frozen=True):
    """A form that gives points; `after` is the last entry that it was shown with."""

    points: Annotated[str, msgspec.Meta(max_length=20)] = ""
    reason: Annotated[str, msgspec.Meta(max_length=1_000)] = ""
    after: int = 0


class Trouble(msgspec.Struct, frozen=True):
    """Why a form was refused, in the reader's language, and the lines that are at fault."""

    title: str
    text: str
    status: int
    lines: tuple[int, ...] = ()


class ShopperDesk:
    """Shows the pages of shoppers; dependency `shopper_desk`."""

    def __init__(
        self,
        *,
        request: PageRequest,
        desk: Desk,
        db: Database,
        identity: Identity,
        ordering: Ordering,
        points: Points,
        campaign: Campaign,
    ) -> None:
        self._request, self._desk, self._db, self._campaign = request, desk, db, campaign
        self._identity, self._ordering, self._points = identity, ordering, points

    async def overview(
        self,
        staff: Staff,
        *,
        sought: str = "",
        form: NumbersForm | None = None,
        trouble: Trouble | None = None,
    ) -> Response[bytes]:
        """All segments with their counts, the tiers, and the last changes; and a form that was refused."""
        async with self._db.read() as tx:
            values: dict[str, Any] = {
                "counts": await self._identity.segment_counts(tx),
                "tiers": await self._identity.member_counts(tx),
                "changes": await self._identity.segment_changes(tx, limit=CHANGES_SHOWN),
            }
        values |= {"sought": sought, "form": form or NumbersForm(), "used": self._used()}
        return await self._show(staff, "shoppers.html", trouble, values)

    async def tiers(
        self, staff: Staff, *, form: NumbersForm | None = None, done: bool = False, trouble: Trouble | None = None
    ) -> Response[bytes]:
        """All tiers with their counts, and the last changes; and a form that was refused."""
        async with self._db.read() as tx:
            values: dict[str, Any] = {
                "tiers": await self._identity.member_counts(tx),
                "changes": await self._identity.tier_changes(tx, CHANGES_SHOWN),
            }
        values |= {"form": form or NumbersForm(), "done": done}
        return await self._show(staff, "tiers.html", trouble, values)

    async def segment(
        self, staff: Staff, name: str, page: int, *, done: bool = False, trouble: Trouble | None = None
    ) -> Response[bytes]:
        """One segment: whom it holds, masked, and its changes."""
        async with self._db.read() as tx:
            counts = {each.name: each for each in await self._identity.segment_counts(tx)}
            offset = (page - 1) * HOLDERS_SHOWN
            values: dict[str, Any] = {
                "name": name,
                "count": counts.get(name),
                "holders": await self._identity.segment_holders(tx, name, HOLDERS_SHOWN, offset),
                "changes": await self._identity.segment_changes(tx, name, CHANGES_SHOWN),
            }
        accounts = values["count"].accounts if values["count"] else 0
        pages = min(max(-(-accounts // HOLDERS_SHOWN), 1), _PAGES_MAX)
        values |= {"page": page, "pages": pages, "done": done, "form": NumbersForm(name=name), "used": self._used()}
        return await self._show(staff, "segment.html", trouble, values)

    async def shopper(
        self,
        staff: Staff,
        account_id: UUID,
        page: int = 1,
        *,
        done: bool = False,
        grant: Grant | None = None,
        trouble: Trouble | None = None,
    ) -> Response[bytes]:
        """One shopper: what the shop knows of him, his points and what moved them. Raises AccountUnknown."""
        async with self._db.read() as tx:
            values = await self._known(tx, AccountId(account_id), page)
        values |= {"page": page, "done": done, "grant": grant or Grant()}
        return await self._show(staff, "shopper.html", trouble, values)

    async def _known(self, tx: Tx, account_id: AccountId, page: int) -> dict[str, Any]:
        await self._identity.require_account(tx, account_id)
        found = await self._points.entries(tx, account_id, ENTRIES_SHOWN + 1, (page - 1) * ENTRIES_SHOWN)
        standing = (await self._identity.standings_of(tx, [account_id]))[account_id]
        newest = found if page == 1 else await self._points.entries(tx, account_id, 1)
        return {
            "account": await self._identity.account(tx, account_id),
            "tier": standing.tier,
            "segments": sorted(standing.segments),
            "has_paid": account_id in await self._ordering.paid_buyers(tx, [account_id]),
            "balance": await self._points.balance(tx, account_id),
            "entries": found[:ENTRIES_SHOWN],
            "more": len(found) > ENTRIES_SHOWN,
            "after": newest[0].entry_id if newest else 0,
        }

    def _used(self) -> dict[str, list[str]]:
        """The promotions of the current campaign that speak of each segment."""
        current = self._campaign.current()
        used: dict[str, list[str]] = {}
        for promotion in current.definition.promotions if current else ():
            for name in promotion.segments:
                used.setdefault(name, []).append(promotion.id)
        return used

    def trouble(self, refusal: Refusal) -> Trouble:
        """A refusal as the page says it."""
        title, text = refusal_words(self._desk.pages.messages(language(self._request)), refusal)
        faults = refusal.fields.get("faults")
        matched = [_FAULT_LINE.match(str(each)) for each in faults] if isinstance(faults, list | tuple) else []
        lines = tuple(int(each[1]) for each in matched if each)
        return Trouble(title, text, refusal.status, lines)

    async def _show(
        self, staff: Staff, template: str, trouble: Trouble | None, values: dict[str, Any]
    ) -> Response[bytes]:
        status = trouble.status if trouble else 200
        return await self._desk.show(
            self._request, staff, "shoppers", template, status=status, trouble=trouble, **values
        )


def open_shopper_desk(
    *,
    request: PageRequest,
    desk: Desk,
    db: Database,
    identity: Identity,
    ordering: Ordering,
    points: Points,
    campaign: Campaign,
) -> ShopperDesk:
    """Dependency `shopper_desk`."""
    return ShopperDesk(
        request=request,
        desk=desk,
        db=db,
        identity=identity,
        ordering=ordering,
        points=points,
        campaign=campaign,
    )


@get("/console/shoppers", include_in_schema=False, dependencies=_VIEW)
async def shoppers_page(
    *,
    shopper_desk: ShopperDesk,
    staff: Staff,
    db: Database,
    identity: Identity,
    q: Annotated[str, QueryParameter(max_length=80)] = "",
) -> Response[bytes]:
    """Show the segments; or go to the shopper with this phone number or account."""
    if q.strip():
        async with db.read() as tx:
            account = await _sought(tx, identity, q.strip())
        if account is not None:
            return see_other(f"/console/shoppers/{account}")
    return await shopper_desk.overview(staff, sought=q.strip())


async def _sought(tx: Tx, identity: Identity, text: str) -> AccountId | None:
    try:
        account = AccountId(UUID(text))
    except ValueError:
        return await identity.account_of_phone(tx, text)
    try:
        return (await identity.account(tx, account)).account_id
    except Refusal:
        return None


@get("/console/shoppers/{account_id:uuid}", include_in_schema=False, dependencies=_VIEW)
async def shopper_page(
    shopper_desk: ShopperDesk,
    staff: Staff,
    account_id: UUID,
    page: Page = 1,
    done: Annotated[str, QueryParameter(max_length=20)] = "",
) -> Response[bytes]:
    """Show one shopper."""
    return await shopper_desk.shopper(staff, account_id, page, done=bool(done))


@post(
    "/console/shoppers/{account_id:uuid}/points",
    include_in_schema=False,
    status_code=200,
    dependencies={"staff": requires(Permission.PAYMENTS_REFUND)},
    request_max_body_size=8_192,
)
async def grant_points(
    *,
    shopper_desk: ShopperDesk,
    staff: Staff,
    db: Database,
    identity: Identity,
    points: Points,
    account_id: UUID,
    data: Annotated[Grant, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Give a shopper points, once for each time the form was shown; refused, it changes nothing."""
    text = data.points.strip()
    wanted = int(text) if text.isdecimal() else 0
    try:
        async with db.transaction() as tx:
            await identity.require_account(tx, AccountId(account_id))
            await points.grant(tx, account_id, wanted, by=staff.name, reason=data.reason, after=data.after)
    except Refusal as refusal:
        trouble = shopper_desk.trouble(refusal)
        return await shopper_desk.shopper(staff, account_id, grant=data, trouble=trouble)
    return see_other(f"/console/shoppers/{account_id}?done=granted")


@get("/console/segments/{name:str}", include_in_schema=False, dependencies=_VIEW)
async def segment_page(
    shopper_desk: ShopperDesk,
    staff: Staff,
    name: Name,
    page: Page = 1,
    done: Annotated[str, QueryParameter(max_length=20)] = "",
) -> Response[bytes]:
    """Show one segment."""
    return await shopper_desk.segment(staff, name, page, done=bool(done))


@post(
    "/console/segments",
    include_in_schema=False,
    status_code=200,
    dependencies={"staff": requires(Permission.SEGMENTS_CHANGE)},
    request_max_body_size=FORM_BYTES_MAX,
)
async def change_segment(
    *, request: PageRequest, shopper_desk: ShopperDesk, staff: Staff, db: Database, identity: Identity
) -> Response[bytes]:
    """Change a segment by the numbers of the form and of its file together; recorded with who and why."""
    form, file = await _sent(request)
    try:
        numbers = await _numbers(_texts(form, file))
        async with db.transaction() as tx:
            change = await identity.change_segment(
                tx, form.name, numbers, by=staff.name, reason=form.reason, how=form.how
            )
    except Refusal as refusal:
        return await shopper_desk.overview(staff, form=form, trouble=shopper_desk.trouble(refusal))
    return see_other(f"/console/segments/{change.segment}?done=changed")


@get("/console/tiers", include_in_schema=False, dependencies=_VIEW)
async def tiers_page(
    shopper_desk: ShopperDesk,
    staff: Staff,
    done: Annotated[str, QueryParameter(max_length=20)] = "",
) -> Response[bytes]:
    """Show the tiers of members."""
    return await shopper_desk.tiers(staff, done=bool(done))


@post(
    "/console/tiers",
    include_in_schema=False,
    status_code=200,
    dependencies={"staff": requires(Permission.SEGMENTS_CHANGE)},
    request_max_body_size=FORM_BYTES_MAX,
)
async def change_tier(
    *, request: PageRequest, shopper_desk: ShopperDesk, staff: Staff, db: Database, identity: Identity
) -> Response[bytes]:
    """Change a tier of members by the numbers of the form and of its file together; recorded with who and why.

    A list with the column tier changes each tier that it names.
    """
    form, file = await _sent(request)
    try:
        texts = _texts(form, file)
        if any(map(_names_tiers, texts)):
            members = await _members(form, texts)
            async with db.transaction() as tx:
                await identity.import_members(
                    tx, members, by=staff.name, reason=form.reason, replace=form.how is ListHow.REPLACE
                )
        else:
            numbers = await _numbers(texts)
            async with db.transaction() as tx:
                await identity.change_tier(tx, form.name, numbers, by=staff.name, reason=form.reason, how=form.how)
    except Refusal as refusal:
        return await shopper_desk.tiers(staff, form=form, trouble=shopper_desk.trouble(refusal))
    return see_other("/console/tiers?done=changed")


async def _sent(request: PageRequest) -> tuple[NumbersForm, bytes]:
    """The form, and its file's bytes; a way that does not exist is taken for adding, which takes nobody out."""
    sent = await sent_form(request)
    how, file = str(sent.get("how", "")), sent.get("file")
    form = NumbersForm(
        name=str(sent.get("name", "")).strip(),
        how=ListHow(how) if how in tuple(ListHow) else ListHow.ADD,
        numbers=str(sent.get("numbers", "")),
        reason=str(sent.get("reason", "")).strip(),
    )
    return form, await file.read() if isinstance(file, UploadFile) else b""


def _texts(form: NumbersForm, file: bytes) -> list[str]:
    """What the form's field and its file hold, without what is empty. Raises MembersFaulty."""
    try:
        return [text for text in (form.numbers, file.decode("utf-8-sig")) if text.strip()]
    except UnicodeDecodeError as fault:
        raise MembersFaulty("The file is not UTF-8 text. Nothing was changed; save it as CSV in UTF-8.") from fault


async def _numbers(texts: Sequence[str]) -> list[str]:
    """The numbers of a change. Raises MembersFaulty; also where there are none, for that would end the whole list."""
    found = await asyncio.to_thread(lambda: list(dict.fromkeys(each for text in texts for each in read_numbers(text))))
    _require_allowed(len(found))
    return found


async def _members(form: NumbersForm, texts: Sequence[str]) -> list[Member]:
    """The members of a list with the column tier. Raises MembersFaulty, and TiersNamed where the form says more."""
    if form.name or len(texts) > 1 or form.how is ListHow.REMOVE:
        raise TiersNamed(
            "A list with the column tier says itself who gets which: the form names no tier with it, holds no other "
            "numbers, and adds or replaces. Nothing was changed; leave those empty, or take the column out."
        )
    found = await asyncio.to_thread(read_members, texts[0].lstrip())
    _require_allowed(len(found))
    return found


def _require_allowed(count: int) -> None:
    if not 0 < count <= NUMBERS_MAX:
        raise MembersFaulty(
            f"A change names 1 to {NUMBERS_MAX:,} numbers; this one names {count:,}. Nothing was changed."
        )


def _names_tiers(text: str) -> bool:
    return "tier" in {name.strip() for name in text.lstrip().partition("\n")[0].split(",")}


routes = [shoppers_page, shopper_page, grant_points, segment_page, change_segment, tiers_page, change_tier]
