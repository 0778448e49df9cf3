"""Many prizes at once: where those that are due are sent, as CSV on record, and how they were given, from a file."""

import asyncio
import csv
from collections.abc import AsyncIterator
from io import StringIO
from typing import Annotated
from uuid import UUID

from litestar import Response, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Stream

from tidegate.app.console.frame import PageRequest
from tidegate.app.console.prizes import PrizeRoom, Purpose
from tidegate.app.pages.answer import see_other
from tidegate.app.pages.form import sent_form
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.sale.draws.api import Draws, faulty, read_given
from tidegate.sale.draws.contracts import Award, AwardState, GivenFault, GivenLine, GivenWrong
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import Address, Permission, SavedAddress, Staff
from tidegate.trust.identity.http import requires

FILE_BYTES_MAX = 1_000_000
_ROWS_AT_ONCE = 200
_COLUMNS = (
    "serial",
    "prize_zh",
    "prize_en",
    "order",
    "name",
    "phone",
    "province",
    "city",
    "district",
    "street",
    "note",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@post(
    "/console/draws/{draw_id:uuid}/due",
    include_in_schema=False,
    status_code=200,
    dependencies={"staff": requires(Permission.ORDERS_PERSONAL_DATA_VIEW)},
    request_max_body_size=4_096,
)
async def export(
    *,
    prize_room: PrizeRoom,
    staff: Staff,
    db: Database,
    identity: Identity,
    draws: Draws,
    draw_id: UUID,
    data: Annotated[Purpose, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes] | Stream:
    """Return the prizes to be given as CSV, with where they are sent; it is on record before the first row leaves."""
    try:
        async with db.transaction() as tx:
            await draws.view(tx, draw_id)
            await identity.record_view(tx, staff, f"draw:{draw_id}", data.purpose)
    except Refusal as refusal:
        return await prize_room.of_draw(staff, draw_id, None, 1, trouble=prize_room.trouble(refusal))
    headers = {
        "Content-Disposition": f'attachment; filename="prizes-{draw_id}.csv"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Stream(_rows(prize_room, db, draws, draw_id), headers=headers, media_type="text/csv")


async def _rows(prize_room: PrizeRoom, db: Database, draws: Draws, draw_id: UUID) -> AsyncIterator[bytes]:
    """The rows with a byte order mark, so that spreadsheets read Chinese."""
    yield b"\xef\xbb\xbf" + _csv([_COLUMNS])
    offset = 0
    async with db.read() as tx:
        while True:
            part = await draws.prizes.of_draw(tx, draw_id, AwardState.DUE, _ROWS_AT_ONCE, offset)
            places = {each.serial: await prize_room.place(tx, each) for each in part.awards}
            yield _csv([_row(each, places[each.serial]) for each in part.awards])
            if not part.more:
                return
            offset += _ROWS_AT_ONCE


def _row(award: Award, place: SavedAddress | None) -> tuple[str, ...]:
    name = award.what.name
    return (str(award.serial), name.zh, name.en, str(award.order_id), *_where(place.address if place else None), "")


def _where(place: Address | None) -> tuple[str, ...]:
    if place is None:
        return ("",) * 6
    return (place.name, place.phone.removeprefix("+86"), place.province, place.city, place.district, place.street)


def _csv(rows: list[tuple[str, ...]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows([_harmless(field) for field in row] for row in rows)
    return text.getvalue().encode()


def _harmless(field: str) -> str:
    """A field as no spreadsheet takes it for a formula: what shoppers write stands behind an apostrophe then."""
    return f"'{field}" if field.startswith(_FORMULA) else field


@post(
    "/console/draws/{draw_id:uuid}/given",
    include_in_schema=False,
    status_code=200,
    dependencies={"staff": requires(Permission.PRIZES_GIVE)},
    request_max_body_size=FILE_BYTES_MAX,
)
async def give_many(
    *, request: PageRequest, prize_room: PrizeRoom, staff: Staff, db: Database, draws: Draws, draw_id: UUID
) -> Response[bytes]:
    """Record in this person's name how the prizes of a CSV file were given, all of them or none."""
    file = (await sent_form(request)).get("file")
    try:
        lines = await asyncio.to_thread(_read, await file.read() if isinstance(file, UploadFile) else b"")
        async with db.transaction() as tx:
            await draws.prizes.give_many(tx, draw_id, lines, staff.name)
    except Refusal as refusal:
        return await prize_room.of_draw(staff, draw_id, None, 1, trouble=prize_room.trouble(refusal))
    return see_other(f"/console/draws/{draw_id}?state=given")


def _read(file: bytes) -> list[GivenLine]:
    try:
        return read_given(StringIO(file.decode("utf-8-sig"), newline=""))
    except UnicodeDecodeError as fault:
        line = file.count(b"\n", 0, fault.start) + 1
        raise faulty([GivenFault(line=line, why=GivenWrong.NOT_CSV)]) from fault


routes = [export, give_many]
