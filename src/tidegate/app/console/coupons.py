"""Coupons for staff: each template with its totals, batches and their exports, one code's whole story, withdrawing.

Making codes and taking them from a file is `coupon_batches`.
"""

import csv
import io
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter
from litestar.response import Stream

from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.app.console.words import refusal_words
from tidegate.app.pages.answer import see_other
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.base.ids import Ids
from tidegate.offer.coupons.api import Coupons
from tidegate.offer.coupons.contracts import (
    AT_ONCE_MAX,
    REASON_LENGTH_MAX,
    Batch,
    BatchId,
    CodeFault,
    CodeStory,
    Export,
    Template,
    Totals,
)
from tidegate.offer.coupons.errors import CodesFaulty, CouponUnknown
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires

_NO_CODES = 0


class Reason(msgspec.Struct, frozen=True):
    """A form that asks for what is recorded with a reason."""

    reason: Annotated[str, msgspec.Meta(max_length=REASON_LENGTH_MAX)] = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A template with what became of its codes."""

    template: Template
    totals: Totals


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """The code that was asked for: its story, or that there is none; and what was wrong with a form about it."""

    text: str = ""
    story: CodeStory | None = None
    fault: str | None = None


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """The forms that make codes, as they stand: what was entered, and what is wrong with the file that was sent.

    `key` is new each time the page is shown: sent twice under one, codes are made once.
    """

    key: BatchId
    coupon: str = ""
    count: str = ""
    faults: tuple[CodeFault, ...] = ()


class CouponPage:
    """Shows the page of coupons; dependency `coupon_page`."""

    def __init__(self, request: PageRequest, desk: Desk, coupons: Coupons, db: Database, ids: Ids) -> None:
        self._request = request
        self._desk = desk
        self._coupons = coupons
        self._db = db
        self._ids = ids

    async def show(
        self,
        staff: Staff,
        text: str = "",
        refusal: Refusal | None = None,
        *,
        coupon: str = "",
        count: str = "",
        made: UUID | None = None,
    ) -> Response[bytes]:
        """Return the page, with the story of the code `text` where one was asked for, and what a form had entered.

        `made` names the batch that was just made.
        """
        templates = self._coupons.templates()
        campaign_id = next((each.campaign_id for each in templates.values()), "")
        async with self._db.read() as tx:
            totals = await self._coupons.desk.totals(tx, campaign_id)
            batches = await self._coupons.desk.batches(tx, campaign_id)
            exports = await self._coupons.desk.exports(tx, [batch.batch_id for batch in batches])
            try:
                story = await self._coupons.desk.story(tx, text) if text.strip() else None
            except CouponUnknown:
                story = None
        words = self._desk.pages.messages(language(self._request))
        fault = refusal_words(words, refusal)[1] if refusal else None
        return await self._desk.show(
            self._request,
            staff,
            "coupons",
            "coupons.html",
            status=refusal.status if refusal else 200,
            rows=[Row(template=each, totals=totals.get(name) or _none(each)) for name, each in templates.items()],
            batches=batches,
            exports=_by_batch(exports),
            sought=Sought(text=text.strip(), story=story, fault=fault),
            making=Making(key=BatchId(self._ids.new()), coupon=coupon, count=count, faults=_faults(refusal)),
            made=next((each for each in batches if each.batch_id == made), None),
            most=AT_ONCE_MAX,
        )


def _faults(refusal: Refusal | None) -> tuple[CodeFault, ...]:
    found = refusal.fields.get("faults") if isinstance(refusal, CodesFaulty) else None
    return tuple(each for each in found if isinstance(each, CodeFault)) if isinstance(found, list) else ()


def _none(template: Template) -> Totals:
    counts = dict.fromkeys(Totals.__struct_fields__[3:], _NO_CODES)
    return Totals(campaign_id=template.campaign_id, template=template.name, planned=template.unique.count, **counts)


def _by_batch(exports: list[Export]) -> dict[BatchId, list[Export]]:
    found: dict[BatchId, list[Export]] = {}
    for each in exports:
        found.setdefault(each.batch_id, []).append(each)
    return found


def open_coupon_page(request: PageRequest, desk: Desk, coupons: Coupons, db: Database, ids: Ids) -> CouponPage:
    """Dependency `coupon_page`."""
    return CouponPage(request, desk, coupons, db, ids)


@get("/console/coupons", include_in_schema=False, dependencies={"staff": requires(Permission.COUPONS_VIEW)})
async def coupons_page(
    coupon_page: CouponPage,
    staff: Staff,
    q: Annotated[str, QueryParameter(max_length=80)] = "",
    made: UUID | None = None,
) -> Response[bytes]:
    """Show the templates with their totals, the code that is asked for, and the batch that was just made."""
    return await coupon_page.show(staff, q, made=made)


@post(
    "/console/coupons/{code:str}/revoke",
    include_in_schema=False,
    dependencies={"staff": requires(Permission.COUPONS_REVOKE)},
    request_max_body_size=4_096,
)
async def revoke(
    *,
    coupon_page: CouponPage,
    staff: Staff,
    coupons: Coupons,
    db: Database,
    code: str,
    data: Annotated[Reason, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Withdraw a code, and show its story."""
    try:
        async with db.transaction() as tx:
            await coupons.desk.revoke(tx, code, staff.name, data.reason)
    except Refusal as refusal:
        return await coupon_page.show(staff, code, refusal)
    return see_other(f"/console/coupons?q={code}#code")


@post(
    "/console/coupons/batches/{batch_id:uuid}/export",
    include_in_schema=False,
    status_code=200,
    dependencies={"staff": requires(Permission.COUPONS_EXPORT)},
    request_max_body_size=4_096,
)
async def export(
    *,
    coupon_page: CouponPage,
    staff: Staff,
    coupons: Coupons,
    db: Database,
    batch_id: UUID,
    data: Annotated[Reason, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes] | Stream:
    """Return a batch's codes as CSV; that it was done, by whom and why, is on record before the first code leaves."""
    try:
        async with db.transaction() as tx:
            batch = await coupons.desk.record_export(tx, BatchId(batch_id), staff.name, data.reason)
    except Refusal as refusal:
        return await coupon_page.show(staff, refusal=refusal)
    headers = {
        "Content-Disposition": f'attachment; filename="{_file_name(batch)}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Stream(_rows(coupons, batch), headers=headers, media_type="text/csv")


def _file_name(batch: Batch) -> str:
    return f"{batch.template}-{batch.made_at:%Y%m%d-%H%M}.csv"


async def _rows(coupons: Coupons, batch: Batch) -> AsyncIterator[bytes]:
    yield b"code,state\r\n"
    async for part in coupons.desk.codes_of(batch.batch_id):
        text = io.StringIO()
        csv.writer(text).writerows(part)
        yield text.getvalue().encode()
