"""Codes to be handed out, made or taken from a file by staff: each form once, however often it is sent."""

import asyncio
from io import StringIO
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException
from litestar.params import Body

from tidegate.app.console.coupons import CouponPage
from tidegate.app.console.frame import PageRequest
from tidegate.app.pages.answer import see_other
from tidegate.app.pages.form import sent_form
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.offer.coupons.api import Coupons, not_utf8, read_codes
from tidegate.offer.coupons.contracts import Batch, BatchId, CodeLine
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires

FILE_BYTES_MAX = 2_000_000
"""What the form with a file holds at most; larger files at the command line."""
_NAME_MAX = 32
_MAKE = {"staff": requires(Permission.COUPONS_MAKE)}


class Wanted(msgspec.Struct, frozen=True):
    """A form that makes codes; `key` came with it, and names the batch."""

    key: UUID
    coupon: Annotated[str, msgspec.Meta(max_length=_NAME_MAX)] = ""
    count: Annotated[str, msgspec.Meta(max_length=20)] = ""


@post(
    "/console/coupons/batches",
    include_in_schema=False,
    status_code=200,
    dependencies=_MAKE,
    request_max_body_size=4_096,
)
async def make(
    *,
    coupon_page: CouponPage,
    staff: Staff,
    coupons: Coupons,
    db: Database,
    data: Annotated[Wanted, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Make codes in this person's name, once for each time the page was shown."""
    text = data.count.replace(",", "").strip()
    count = int(text) if text.isdecimal() else 0
    try:
        async with db.transaction() as tx:
            batch = await coupons.desk.make(tx, data.coupon, count, staff.name, BatchId(data.key))
    except Refusal as refusal:
        return await coupon_page.show(staff, refusal=refusal, coupon=data.coupon, count=data.count)
    return _made(batch)


@post(
    "/console/coupons/batches/file",
    include_in_schema=False,
    status_code=200,
    dependencies=_MAKE,
    request_max_body_size=FILE_BYTES_MAX,
)
async def take(*, request: PageRequest, coupon_page: CouponPage, staff: Staff, coupons: Coupons) -> Response[bytes]:
    """Take the codes of a CSV file in this person's name, all or none, once for each time the page was shown."""
    sent = await sent_form(request)
    template, key = str(sent.get("template", ""))[:_NAME_MAX], _key(str(sent.get("key", "")))
    file = sent.get("file")
    try:
        lines = await asyncio.to_thread(_read, await file.read() if isinstance(file, UploadFile) else b"")
        batch = await coupons.desk.take(template, lines, staff.name, lambda _: None, key)
    except Refusal as refusal:
        return await coupon_page.show(staff, refusal=refusal, coupon=template)
    return _made(batch)


def _key(text: str) -> BatchId:
    try:
        return BatchId(UUID(text))
    except ValueError as fault:
        raise ClientException("The form has no key") from fault


def _read(file: bytes) -> list[CodeLine]:
    try:
        return read_codes(StringIO(file.decode("utf-8-sig"), newline=""))
    except UnicodeDecodeError as fault:
        raise not_utf8(file.count(b"\n", 0, fault.start) + 1) from fault


def _made(batch: Batch) -> Response[bytes]:
    return see_other(f"/console/coupons?made={batch.batch_id}#batches")


routes = [make, take]
