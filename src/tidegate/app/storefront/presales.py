"""Goods in presale, and a shopper's reservations: reserve, pay the deposit, pay the balance, give up."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import Parameter

from tidegate.app.pages.answer import PRIVATE, own_origin, see_other
from tidegate.app.pages.errors import PageUnknown
from tidegate.app.pages.rendering import Html
from tidegate.app.storefront.addresses import ADDRESS_FIELDS, AddressDesk, address_fields, chosen_address
from tidegate.app.storefront.forms import read_form
from tidegate.app.storefront.visit import Asking, Visit
from tidegate.app.storefront.wording import Spoken, marked, spoken
from tidegate.base.db import Database, Tx
from tidegate.base.errors import Refusal
from tidegate.base.ids import Ids
from tidegate.offer.catalogue.api import Catalogue
from tidegate.offer.catalogue.contracts import Sku
from tidegate.sale.payment.api import Payment
from tidegate.sale.payment.contracts import IntentState, PaymentView
from tidegate.sale.presale.api import Presales
from tidegate.sale.presale.contracts import QUANTITY_MAX, PresaleNow, Reservation, ReservationState, Reserve
from tidegate.trust.identity.api import mask_phone
from tidegate.trust.identity.errors import AddressNotValid

RESERVATIONS_SHOWN = 20
_ENDED = frozenset({
    ReservationState.COMPLETED,
    ReservationState.EXPIRED,
    ReservationState.CANCELLED,
    ReservationState.FORFEITED,
})  # fmt: skip
_AGREE_FIRST = Spoken(
    marked("Please agree first"),
    marked("A deposit that is paid may be lost: say that you have read when. Nothing was changed."),
)


class ReservationNow(msgspec.Struct, frozen=True):
    """What the page of a reservation asks for again and again: `mark` differs whenever the page would."""

    mark: str
    settled: bool


class ReservationDesk:
    """Shows goods in presale and reservations; dependency `reservation_desk`."""

    def __init__(
        self,
        *,
        visit: Visit,
        presales: Presales,
        payment: Payment,
        catalogue: Catalogue,
        addresses: AddressDesk,
        db: Database,
        ids: Ids,
    ) -> None:
        self._visit = visit
        self._presales = presales
        self._payment = payment
        self._catalogue = catalogue
        self._addresses = addresses
        self._db = db
        self._ids = ids

    async def goods(self, sku: str, trouble: Spoken | None = None, status: int = 200) -> Response[bytes]:
        """Return the page of goods in presale. Raises PageUnknown."""
        async with self._db.read() as tx:
            found = await self._presales.now(tx, [sku])
            known = await self._catalogue.goods_of(tx, [sku])
        if not found or Sku(sku) not in known:
            raise PageUnknown("These goods are not in presale. They may be on sale by now; look for them.")
        presale, now = found[0], self._visit.now
        return self._visit.personal(
            "presale",
            status=status,
            presale=presale,
            goods=known[Sku(sku)],
            open_now=presale.deposit_from_at <= now < presale.deposit_until_at,
            quantity_max=max(1, min(presale.per_buyer or QUANTITY_MAX, presale.left, QUANTITY_MAX)),
            key=self._ids.new().hex,
            signed_in=self._visit.session is not None,
            trouble=trouble,
        )

    async def show(
        self,
        reservation_id: UUID,
        trouble: Spoken | None = None,
        *,
        status: int = 200,
        chosen: str = "",
        fields: Mapping[str, str] | None = None,
        faults: Mapping[str, str] | None = None,
    ) -> Response[bytes]:
        """Return one reservation's page. Raises ReservationUnknown for anyone else's."""
        account = self._visit.account
        async with self._db.transaction() as tx:
            found = await self._presales.reservation(tx, reservation_id, account)
            deposit = await self._payment.view(tx, found.deposit_id)
            balance = await self._balance(tx, found)
            steps = await self._presales.transitions(tx, reservation_id)
            goods = await self._catalogue.goods_of(tx, [found.sku])
            addresses = await self._addresses.of(tx, account)
            channels = await self._payment.channels(tx)
        return self._visit.personal(
            "reservation",
            status=status,
            found=found,
            deposit=deposit,
            balance=balance,
            due=found.balance_from_at <= self._visit.now < found.balance_until_at,
            steps=steps,
            goods=goods.get(Sku(found.sku)),
            addresses=addresses,
            chosen=chosen_address(chosen, addresses),
            fields=fields or dict.fromkeys(ADDRESS_FIELDS, ""),
            faults=faults or {},
            channels=[channel.name for channel in channels],
            now_state=_now(found, deposit, balance),
            trouble=trouble,
            mask_phone=mask_phone,
        )

    async def state(self, reservation_id: UUID) -> ReservationNow:
        """Return what the page asks for again and again."""
        async with self._db.transaction() as tx:
            found = await self._presales.reservation(tx, reservation_id, self._visit.account)
            deposit = await self._payment.view(tx, found.deposit_id)
            balance = await self._balance(tx, found)
        return _now(found, deposit, balance)

    async def _balance(self, tx: Tx, found: Reservation) -> PaymentView | None:
        """Return the balance's payment; None where it was not asked for yet."""
        return await self._payment.view(tx, found.reservation_id) if found.balance_asked_at is not None else None


def _now(found: Reservation, deposit: PaymentView, balance: PaymentView | None) -> ReservationNow:
    refunds = ".".join(each.state for each in deposit.refunds)
    paying = balance.state if balance else ""
    waiting = IntentState.CONFIRMING in {deposit.state, paying}
    late = found.state is ReservationState.RESERVED and deposit.state is IntentState.CAPTURED
    late = late or (found.state is ReservationState.DEPOSITED and paying is IntentState.CAPTURED)
    settled = found.state in _ENDED or (found.state is ReservationState.DEPOSITED and not waiting and not late)
    return ReservationNow(f"{found.state}/{deposit.state}/{paying}/{refunds}", settled)


def open_reservation_desk(
    *,
    visit: Visit,
    presales: Presales,
    payment: Payment,
    catalogue: Catalogue,
    address_desk: AddressDesk,
    db: Database,
    ids: Ids,
) -> ReservationDesk:
    """Dependency `reservation_desk`."""
    return ReservationDesk(
        visit=visit, presales=presales, payment=payment, catalogue=catalogue, addresses=address_desk, db=db, ids=ids
    )


@get("/presales", include_in_schema=False)
async def presale_list(visit: Visit, presales: Presales, catalogue: Catalogue, db: Database) -> Response[bytes]:
    """Everything in presale."""

    async def make() -> Html:
        async with db.read() as tx:
            found = await presales.now(tx)
            goods = await catalogue.goods_of(tx, [each.sku for each in found])
        return visit.render("presales", presales=_ordered(found, visit), goods=goods)

    return await visit.public(make)


def _ordered(found: list[PresaleNow], visit: Visit) -> list[PresaleNow]:
    """Those that can be reserved now first."""
    return sorted(found, key=lambda each: not each.deposit_from_at <= visit.now < each.deposit_until_at)


@get("/presales/{sku:str}", include_in_schema=False)
async def presale(reservation_desk: ReservationDesk, sku: Annotated[str, Parameter(max_length=64)]) -> Response[bytes]:
    """Goods in presale: deposit, what it counts for, the price step by step, and both windows."""
    return await reservation_desk.goods(sku)


@post("/reservations", include_in_schema=False, guards=[own_origin])
async def reserve(
    request: Asking, visit: Visit, presales: Presales, reservation_desk: ReservationDesk
) -> Response[bytes]:
    """Reserve, and go on to the deposit."""
    form = await read_form(request)
    sku, quantity = form.text("sku", 64), form.whole("quantity", 1, QUANTITY_MAX)
    if visit.session is None:
        return see_other(f"/sign-in?next=/presales/{sku}")
    if form.text("agree") != "yes":
        return await reservation_desk.goods(sku, _AGREE_FIRST, 422)
    command = Reserve(
        sku=sku,
        quantity=quantity,
        expected_deposit=quantity * form.whole("deposit", 0, 10**11),
        expected_balance=quantity * form.whole("balance", 0, 10**11),
    )
    try:
        made = await presales.reserve(visit.account, form.text("key"), command, session_id=visit.session.session_id)
    except Refusal as refusal:
        return await reservation_desk.goods(sku, spoken(refusal), refusal.status)
    return see_other(f"/reservations/{made.reservation_id}")


@get("/reservations", include_in_schema=False)
async def reservations(
    visit: Visit,
    presales: Presales,
    catalogue: Catalogue,
    db: Database,
    page: Annotated[int, Parameter(ge=1, le=500)] = 1,
) -> Response[bytes]:
    """My reservations, newest first."""
    async with db.read() as tx:
        start = (page - 1) * RESERVATIONS_SHOWN
        found = await presales.reservations_of(tx, visit.account, RESERVATIONS_SHOWN + 1, start)
        goods = await catalogue.goods_of(tx, [each.sku for each in found])
    shown, more = found[:RESERVATIONS_SHOWN], len(found) > RESERVATIONS_SHOWN
    return visit.personal("reservations", reservations=shown, more=more, page=page, goods=goods)


@get("/reservations/{reservation_id:uuid}", include_in_schema=False)
async def reservation(reservation_desk: ReservationDesk, reservation_id: UUID) -> Response[bytes]:
    """One reservation: its state, what is to pay and when, and all that happened."""
    return await reservation_desk.show(reservation_id)


@get("/reservations/{reservation_id:uuid}/now", include_in_schema=False)
async def reservation_now(reservation_desk: ReservationDesk, reservation_id: UUID) -> Response[ReservationNow]:
    """Whether anything changed, for the page of the reservation."""
    return Response(await reservation_desk.state(reservation_id), headers={"Cache-Control": PRIVATE})


@post("/reservations/{reservation_id:uuid}/deposit", include_in_schema=False, guards=[own_origin])
async def pay_deposit(
    request: Asking, visit: Visit, presales: Presales, reservation_desk: ReservationDesk, reservation_id: UUID
) -> Response[bytes]:
    """Pay the deposit; the outcome is on the reservation's page."""
    form = await read_form(request)
    try:
        await presales.pay_deposit(reservation_id, visit.account, form.text("channel", 32) or None)
    except Refusal as refusal:
        return await reservation_desk.show(reservation_id, spoken(refusal), status=refusal.status)
    return see_other(f"/reservations/{reservation_id}")


@post("/reservations/{reservation_id:uuid}/balance", include_in_schema=False, guards=[own_origin])
async def pay_balance(
    request: Asking,
    visit: Visit,
    presales: Presales,
    reservation_desk: ReservationDesk,
    address_desk: AddressDesk,
    reservation_id: UUID,
) -> Response[bytes]:
    """Pay the balance; the goods go to the chosen address."""
    form = await read_form(request)
    chosen, fields = form.text("address_id", 40), address_fields(form)
    try:
        address_id = await address_desk.take(visit.account, chosen, fields)
        await presales.pay_balance(reservation_id, visit.account, address_id, form.text("channel", 32) or None)
    except Refusal as refusal:
        return await reservation_desk.show(
            reservation_id,
            spoken(refusal),
            status=refusal.status,
            chosen=chosen,
            fields=fields,
            faults=AddressDesk.faults(refusal) if isinstance(refusal, AddressNotValid) else None,
        )
    return see_other(f"/reservations/{reservation_id}")


@post("/reservations/{reservation_id:uuid}/give-up", include_in_schema=False, guards=[own_origin])
async def give_up(
    request: Asking,
    visit: Visit,
    presales: Presales,
    db: Database,
    reservation_desk: ReservationDesk,
    reservation_id: UUID,
) -> Response[bytes]:
    """Give the reservation up; a paid deposit is lost, and only where the form says that this is accepted."""
    form = await read_form(request)
    try:
        async with db.transaction() as tx:
            await presales.give_up(tx, reservation_id, visit.account, lose_deposit=form.text("agree") == "yes")
    except Refusal as refusal:
        return await reservation_desk.show(reservation_id, spoken(refusal), status=refusal.status)
    return see_other(f"/reservations/{reservation_id}")


routes = [
    presale_list,
    presale,
    reserve,
    reservations,
    reservation,
    reservation_now,
    pay_deposit,
    pay_balance,
    give_up,
]
