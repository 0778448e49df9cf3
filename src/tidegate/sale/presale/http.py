"""Doors to presales: look, reserve, pay the deposit, pay the balance, give up."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.datastructures import CacheControlHeader
from litestar.params import Parameter
from litestar.status_codes import HTTP_200_OK

from tidegate.base.db import Database
from tidegate.base.openapi import key_header, refuses
from tidegate.offer.pricing.errors import BuyerLimitReached, SharedLimitReached
from tidegate.sale.ordering.errors import AddressUnknown, KeyMalformed, KeyReused, PaymentUnderWay, PriceChanged
from tidegate.sale.payment.contracts import PaymentView, PayOrder
from tidegate.sale.payment.errors import (
    AttemptsExhausted,
    ChannelSilent,
    ChannelUnknown,
    IntentNotPayable,
    NoChannelAvailable,
)
from tidegate.sale.presale.api import Presales
from tidegate.sale.presale.contracts import GiveUp, PayBalance, PresaleNow, Reservation, Reserve
from tidegate.sale.presale.errors import (
    BalanceNotDue,
    DepositWouldBeLost,
    PresaleLimitReached,
    PresaleNotOpen,
    PresaleUnknown,
    ReservationEnded,
    ReservationUnknown,
)
from tidegate.sale.stock.errors import SoldOut
from tidegate.trust.identity.contracts import AccountId, SessionFacts
from tidegate.trust.identity.errors import NotSignedIn

PAGE_SIZE = 20
_PRIVATE = CacheControlHeader(no_store=True)

Key = Annotated[str, key_header("reservation")]
Page = Annotated[int, Parameter(ge=1, le=1_000, description="Page number, from 1.")]


class PresaleList(msgspec.Struct, frozen=True):
    """The presales of the current campaign, with what is left of each."""

    presales: list[PresaleNow]


class Reservations(msgspec.Struct, frozen=True):
    """One page of a shopper's reservations, newest first."""

    reservations: list[Reservation]
    page: int


@get(
    "/api/v1/presales",
    summary="Presales",
    tags=["presales"],
    operation_id="ListPresales",
    responses=refuses(),
)
async def list_presales(presales: Presales, db: Database) -> PresaleList:
    """Return what can be reserved with a deposit: prices, both windows, and how many units are left."""
    async with db.read() as tx:
        return PresaleList(await presales.now(tx))


@post(
    "/api/v1/presales/reservations",
    summary="Reserve goods",
    tags=["presales"],
    operation_id="ReserveGoods",
    responses=refuses(
        NotSignedIn,
        KeyMalformed,
        KeyReused,
        PresaleUnknown,
        PresaleNotOpen,
        PriceChanged,
        PresaleLimitReached,
        BuyerLimitReached,
        SharedLimitReached,
        SoldOut,
    ),
)
async def reserve(data: Reserve, session: SessionFacts, presales: Presales, idempotency_key: Key) -> Reservation:
    """Reserve units of goods in presale, until `deposit_due_at`: pay the deposit before, or they are free again.

    A deposit that is paid is lost if the balance is not paid in its window, and comes back double if the shop cannot
    deliver. Sending the same again with the same key gives the same answer.
    """
    return await presales.reserve(session.account_id, idempotency_key, data, session_id=session.session_id)


@get(
    "/api/v1/presales/reservations",
    summary="My reservations",
    tags=["presales"],
    operation_id="ListReservations",
    responses=refuses(NotSignedIn),
    cache_control=_PRIVATE,
)
async def list_reservations(account: AccountId, presales: Presales, db: Database, page: Page = 1) -> Reservations:
    """Return a page of the shopper's own reservations, newest first."""
    async with db.read() as tx:
        found = await presales.reservations_of(tx, account, PAGE_SIZE, (page - 1) * PAGE_SIZE)
    return Reservations(found, page)


@get(
    "/api/v1/presales/reservations/{reservation_id:uuid}",
    summary="One reservation",
    tags=["presales"],
    operation_id="ShowReservation",
    responses=refuses(NotSignedIn, ReservationUnknown),
    cache_control=_PRIVATE,
)
async def show_reservation(reservation_id: UUID, account: AccountId, presales: Presales, db: Database) -> Reservation:
    """Return one of the shopper's own reservations as it stands."""
    # On the primary: a shopper who has just paid must see it.
    async with db.transaction() as tx:
        return await presales.reservation(tx, reservation_id, account)


@post(
    "/api/v1/presales/reservations/{reservation_id:uuid}/deposit",
    summary="Pay the deposit",
    tags=["presales"],
    operation_id="PayDeposit",
    status_code=HTTP_200_OK,
    cache_control=_PRIVATE,
    responses=refuses(
        NotSignedIn,
        ReservationUnknown,
        IntentNotPayable,
        AttemptsExhausted,
        ChannelUnknown,
        NoChannelAvailable,
        ChannelSilent,
    ),
)
async def pay_deposit(
    reservation_id: UUID, account: AccountId, presales: Presales, data: PayOrder | None = None
) -> PaymentView:
    """Charge the deposit once; the answer is that of paying an order."""
    return await presales.pay_deposit(reservation_id, account, data.channel if data else None)


@post(
    "/api/v1/presales/reservations/{reservation_id:uuid}/balance",
    summary="Pay the balance",
    tags=["presales"],
    operation_id="PayBalance",
    status_code=HTTP_200_OK,
    cache_control=_PRIVATE,
    responses=refuses(
        NotSignedIn,
        ReservationUnknown,
        ReservationEnded,
        BalanceNotDue,
        AddressUnknown,
        IntentNotPayable,
        AttemptsExhausted,
        ChannelUnknown,
        NoChannelAvailable,
        ChannelSilent,
    ),
)
async def pay_balance(reservation_id: UUID, data: PayBalance, account: AccountId, presales: Presales) -> PaymentView:
    """Charge the balance once, in its window. With it the reservation becomes an order of the same id."""
    return await presales.pay_balance(reservation_id, account, data.address_id, data.channel)


@post(
    "/api/v1/presales/reservations/{reservation_id:uuid}/cancellation",
    summary="Give a reservation up",
    tags=["presales"],
    operation_id="GiveUpReservation",
    status_code=HTTP_200_OK,
    responses=refuses(NotSignedIn, ReservationUnknown, ReservationEnded, DepositWouldBeLost, PaymentUnderWay),
)
async def give_up(
    reservation_id: UUID, account: AccountId, presales: Presales, db: Database, data: GiveUp | None = None
) -> Reservation:
    """Give the units back. Without a paid deposit nothing is lost; a paid one is, and only if the body agrees to it."""
    async with db.transaction() as tx:
        return await presales.give_up(tx, reservation_id, account, lose_deposit=bool(data and data.lose_deposit))


routes = [list_presales, reserve, list_reservations, show_reservation, pay_deposit, pay_balance, give_up]
