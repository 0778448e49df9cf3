"""A shopper's prize: what was won, claiming it with an address where it is sent, and what became of it."""

from collections.abc import Mapping
from uuid import UUID

from litestar import Response, get, post

from tidegate.app.pages.answer import own_origin, see_other
from tidegate.app.storefront.addresses import ADDRESS_FIELDS, AddressDesk, address_fields, chosen_address
from tidegate.app.storefront.forms import read_form
from tidegate.app.storefront.visit import Asking, Visit
from tidegate.app.storefront.wording import Spoken, spoken
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.sale.draws.api import Draws
from tidegate.sale.draws.contracts import AwardState
from tidegate.trust.identity.api import mask_phone
from tidegate.trust.identity.errors import AddressNotValid


class PrizeDesk:
    """Shows one prize to its winner; dependency `prize_desk`."""

    def __init__(self, visit: Visit, draws: Draws, address_desk: AddressDesk, db: Database) -> None:
        self._visit = visit
        self._draws = draws
        self._addresses = address_desk
        self._db = db

    async def show(
        self,
        draw_id: UUID,
        trouble: Spoken | None = None,
        *,
        status: int = 200,
        chosen: str = "",
        fields: Mapping[str, str] | None = None,
        faults: Mapping[str, str] | None = None,
    ) -> Response[bytes]:
        """Return the prize's page, with a form that was refused. Raises PrizeNotWon."""
        account = self._visit.account
        async with self._db.read() as tx:
            won = await self._draws.prizes.won(tx, draw_id, account)
            addresses = await self._addresses.of(tx, account)
        place = next((each.address for each in addresses if each.address_id == won.address_id), None)
        return self._visit.personal(
            "prize",
            status=status,
            won=won,
            late=won.is_late(self._visit.now),
            place=place,
            addresses=addresses,
            chosen=chosen_address(chosen, addresses),
            fields=fields or dict.fromkeys(ADDRESS_FIELDS, ""),
            faults=faults or {},
            trouble=trouble,
            mask_phone=mask_phone,
        )

    async def claim(self, draw_id: UUID, chosen: str, fields: Mapping[str, str]) -> None:
        """Claim the prize. Raises what `Prizes.claim` and `AddressDesk.take` raise; a new address is kept then."""
        account = self._visit.account
        async with self._db.read() as tx:
            won = await self._draws.prizes.won(tx, draw_id, account)
        may = won.state is AwardState.UNCLAIMED and not won.is_late(self._visit.now)
        address_id = await self._addresses.take(account, chosen, fields) if won.what.sent and may else None
        async with self._db.transaction() as tx:
            await self._draws.prizes.claim(tx, draw_id, account, address_id)


def open_prize_desk(visit: Visit, draws: Draws, address_desk: AddressDesk, db: Database) -> PrizeDesk:
    """Dependency `prize_desk`."""
    return PrizeDesk(visit, draws, address_desk, db)


@get("/draws/{draw_id:uuid}/prize", include_in_schema=False)
async def prize(prize_desk: PrizeDesk, draw_id: UUID) -> Response[bytes]:
    """What the shopper won in a draw, and what became of it."""
    return await prize_desk.show(draw_id)


@post("/draws/{draw_id:uuid}/prize", include_in_schema=False, guards=[own_origin])
async def claim(request: Asking, prize_desk: PrizeDesk, draw_id: UUID) -> Response[bytes]:
    """Claim the prize; sent twice it is claimed once."""
    form = await read_form(request)
    chosen, fields = form.text("address_id", 40), address_fields(form)
    try:
        await prize_desk.claim(draw_id, chosen, fields)
    except Refusal as refusal:
        faults = AddressDesk.faults(refusal) if isinstance(refusal, AddressNotValid) else None
        return await prize_desk.show(
            draw_id, spoken(refusal), status=refusal.status, chosen=chosen, fields=fields, faults=faults
        )
    return see_other(f"/draws/{draw_id}/prize")


routes = [prize, claim]
