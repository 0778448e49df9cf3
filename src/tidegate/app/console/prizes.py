"""The prizes of a draw for staff: who won what, what waits, giving, forfeiting, and where one is sent."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter, QueryParameter

from tidegate.app.console.frame import Desk, PageRequest, language
from tidegate.app.console.story import address, masked
from tidegate.app.console.words import refusal_words
from tidegate.app.pages.answer import see_other
from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.sale.draws.api import NOTE_LENGTH_MAX, Draws
from tidegate.sale.draws.contracts import GIVEN_AT_ONCE_MAX, Award, AwardState, GivenFault, Tally
from tidegate.sale.draws.errors import GivenFaulty
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import AccountId, Address, AddressId, Permission, SavedAddress, Staff
from tidegate.trust.identity.http import requires

PAGE_ROWS = 25
_PAGES_MAX = 200_000
_FORM_BYTES_MAX = 4_096
_VIEW = {"staff": requires(Permission.ORDERS_VIEW)}
_GIVE = {"staff": requires(Permission.PRIZES_GIVE)}
Serial = Annotated[int, PathParameter(ge=0, le=2**53)]


class Note(msgspec.Struct, frozen=True):
    """The form that ends a prize."""

    note: Annotated[str, msgspec.Meta(max_length=NOTE_LENGTH_MAX)] = ""


class Purpose(msgspec.Struct, frozen=True):
    """The form that asks to see where a prize is sent."""

    purpose: Annotated[str, msgspec.Meta(max_length=300)] = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A prize with its winner's number, masked."""

    award: Award
    phone: str
    late: bool


class Trouble(msgspec.Struct, frozen=True):
    """Why a form about a prize was refused, in the reader's language, and what is wrong with a file."""

    title: str
    text: str
    status: int
    faults: tuple[GivenFault, ...] = ()


class PrizeRoom:
    """Shows the prizes of draws; dependency `prize_room`."""

    def __init__(
        self, *, request: PageRequest, desk: Desk, db: Database, clock: Clock, draws: Draws, identity: Identity
    ) -> None:
        self._request, self._desk, self._db, self._clock = request, desk, db, clock
        self._draws, self._identity = draws, identity

    async def of_draw(
        self, staff: Staff, draw_id: UUID, state: AwardState | None, page: int, *, trouble: Trouble | None = None
    ) -> Response[bytes]:
        """A part of the draw's prizes, all or those in one state; and a form that was refused. Raises DrawUnknown."""
        async with self._db.read() as tx:
            view = await self._draws.view(tx, draw_id)
            tally = next((each for each in await self._draws.prizes.tallies(tx) if each.draw_id == draw_id), None)
            part = await self._draws.prizes.of_draw(tx, draw_id, state, PAGE_ROWS, (page - 1) * PAGE_ROWS)
            rows = [await self._row(tx, each) for each in part.awards]
        return await self._desk.show(
            self._request,
            staff,
            "draws",
            "prizes.html",
            status=trouble.status if trouble else 200,
            trouble=trouble,
            most=GIVEN_AT_ONCE_MAX,
            view=view,
            tally=tally,
            rows=rows,
            state=state,
            page=page,
            pages=max(-(-_count(tally, state) // PAGE_ROWS), 1),
        )

    async def prize(
        self,
        staff: Staff,
        draw_id: UUID,
        serial: int,
        *,
        note: str = "",
        trouble: Trouble | None = None,
        revealed: Address | None = None,
    ) -> Response[bytes]:
        """One prize with its story, and a form that was refused. Raises PrizeNotWon."""
        async with self._db.transaction() as tx:
            row = await self._row(tx, await self._draws.prizes.award(tx, draw_id, serial))
            place = await self.place(tx, row.award)
        return await self._desk.show(
            self._request,
            staff,
            "draws",
            "prize.html",
            status=trouble.status if trouble else 200,
            row=row,
            place=masked(place),
            revealed=revealed,
            note=note,
            trouble=trouble,
        )

    async def end(
        self, staff: Staff, draw_id: UUID, serial: int, how: Callable[[Tx], Awaitable[object]], *, note: str = ""
    ) -> Response[bytes]:
        """End a prize as `how` does; where that is refused, the prize says why, with the note in its form again."""
        try:
            async with self._db.transaction() as tx:
                await how(tx)
        except Refusal as refusal:
            return await self.prize(staff, draw_id, serial, note=note, trouble=self.trouble(refusal))
        return see_other(f"/console/draws/{draw_id}/prizes/{serial}")

    async def place(self, tx: Tx, award: Award) -> SavedAddress | None:
        """Return where a prize is sent; None where its winner has named no address, or removed it since."""
        if award.address_id is None:
            return None
        return await address(tx, self._identity, AccountId(award.account_id), AddressId(award.address_id))

    async def _row(self, tx: Tx, award: Award) -> Row:
        account = await self._identity.account(tx, AccountId(award.account_id))
        return Row(award=award, phone=account.phone, late=award.is_late(self._clock.now()))

    def trouble(self, refusal: Refusal) -> Trouble:
        """A refusal as the page says it."""
        title, text = refusal_words(self._desk.pages.messages(language(self._request)), refusal)
        found = refusal.fields.get("faults") if isinstance(refusal, GivenFaulty) else None
        faults = tuple(each for each in found if isinstance(each, GivenFault)) if isinstance(found, list) else ()
        return Trouble(title, text, refusal.status, faults)


def _count(tally: Tally | None, state: AwardState | None) -> int:
    if tally is None:
        return 0
    counts = {
        AwardState.UNCLAIMED: tally.unclaimed,
        AwardState.DUE: tally.due,
        AwardState.GIVEN: tally.given,
        AwardState.FORFEITED: tally.forfeited,
    }
    return sum(counts.values()) if state is None else counts[state]


def open_prize_room(
    *, request: PageRequest, desk: Desk, db: Database, clock: Clock, draws: Draws, identity: Identity
) -> PrizeRoom:
    """Dependency `prize_room`."""
    return PrizeRoom(request=request, desk=desk, db=db, clock=clock, draws=draws, identity=identity)


@get("/console/draws/{draw_id:uuid}", include_in_schema=False, dependencies=_VIEW)
async def prizes_page(
    prize_room: PrizeRoom,
    staff: Staff,
    draw_id: UUID,
    wanted: Annotated[str, QueryParameter(name="state", max_length=20)] = "",
    page: Annotated[int, QueryParameter(ge=1, le=_PAGES_MAX)] = 1,
) -> Response[bytes]:
    """Show the prizes of a draw."""
    state = AwardState(wanted) if wanted in tuple(AwardState) else None
    return await prize_room.of_draw(staff, draw_id, state, page)


@get("/console/draws/{draw_id:uuid}/prizes/{serial:int}", include_in_schema=False, dependencies=_VIEW)
async def prize_page(prize_room: PrizeRoom, staff: Staff, draw_id: UUID, serial: Serial) -> Response[bytes]:
    """Show one prize."""
    return await prize_room.prize(staff, draw_id, serial)


@post(
    "/console/draws/{draw_id:uuid}/prizes/{serial:int}/give",
    include_in_schema=False,
    status_code=200,
    dependencies=_GIVE,
    request_max_body_size=_FORM_BYTES_MAX,
)
async def give(
    *,
    prize_room: PrizeRoom,
    staff: Staff,
    draws: Draws,
    draw_id: UUID,
    serial: Serial,
    data: Annotated[Note, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Record in this person's name that a prize was given, and how."""

    def given(tx: Tx) -> Awaitable[object]:
        return draws.prizes.give(tx, draw_id, serial, staff.name, data.note)

    return await prize_room.end(staff, draw_id, serial, given, note=data.note)


@post(
    "/console/draws/{draw_id:uuid}/prizes/{serial:int}/forfeit",
    include_in_schema=False,
    status_code=200,
    dependencies=_GIVE,
    request_max_body_size=_FORM_BYTES_MAX,
)
async def forfeit(
    *,
    prize_room: PrizeRoom,
    staff: Staff,
    draws: Draws,
    draw_id: UUID,
    serial: Serial,
    data: Annotated[Note, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Record in this person's name that a prize was not claimed in its time."""

    def forfeited(tx: Tx) -> Awaitable[object]:
        return draws.prizes.forfeit(tx, draw_id, serial, staff.name, data.note)

    return await prize_room.end(staff, draw_id, serial, forfeited)


@post(
    "/console/draws/{draw_id:uuid}/prizes/{serial:int}/reveal",
    include_in_schema=False,
    status_code=200,
    dependencies={"staff": requires(Permission.ORDERS_PERSONAL_DATA_VIEW)},
    request_max_body_size=_FORM_BYTES_MAX,
)
async def reveal(
    *,
    prize_room: PrizeRoom,
    staff: Staff,
    db: Database,
    draws: Draws,
    identity: Identity,
    draw_id: UUID,
    serial: Serial,
    data: Annotated[Purpose, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Show where a prize is sent for one stated purpose; the look is recorded in the same transaction."""
    try:
        async with db.transaction() as tx:
            await identity.record_view(tx, staff, f"prize:{draw_id}/{serial}", data.purpose)
            place = await prize_room.place(tx, await draws.prizes.award(tx, draw_id, serial))
    except Refusal as refusal:
        return await prize_room.prize(staff, draw_id, serial, trouble=prize_room.trouble(refusal))
    return await prize_room.prize(staff, draw_id, serial, revealed=place.address if place else None)


routes = [prizes_page, prize_page, give, forfeit, reveal]
