"""Doors to groups: what is sold to them, opening one, joining by its link, and how far it is."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post

from tidegate.base.clock import Clock
from tidegate.base.db import Database
from tidegate.base.openapi import key_header, refuses
from tidegate.gate.admission.api import Admission
from tidegate.gate.admission.errors import PassRefused
from tidegate.gate.queue.api import Queue
from tidegate.gate.queue.errors import PassSpent
from tidegate.offer.campaign.errors import NoCampaign
from tidegate.offer.pricing.api import Pricing
from tidegate.offer.pricing.errors import BuyerLimitReached, CartFaulty, NotOnOffer, SharedLimitReached, UnknownGoods
from tidegate.sale.groups.api import Groups
from tidegate.sale.groups.contracts import Group, GroupOffer, GroupView, Joined, JoinGroup, OpenGroup, SeatState
from tidegate.sale.groups.errors import AlreadyInGroup, GroupEnded, GroupFull, GroupUnknown, NotSoldToGroups
from tidegate.sale.ordering.errors import (
    AddressUnknown,
    KeyMalformed,
    KeyReused,
    OrderDenied,
    PriceChanged,
    SaleNotOpen,
)
from tidegate.sale.stock.errors import SoldOut
from tidegate.trust.identity.contracts import AccountId, SessionFacts
from tidegate.trust.identity.errors import NotSignedIn

Key = Annotated[str, key_header("place")]
_ORDERING = (
    NotSignedIn,
    PassRefused,
    PassSpent,
    NoCampaign,
    NotSoldToGroups,
    KeyMalformed,
    KeyReused,
    SaleNotOpen,
    PriceChanged,
    AddressUnknown,
    OrderDenied,
    SoldOut,
    CartFaulty,
    UnknownGoods,
    NotOnOffer,
    BuyerLimitReached,
    SharedLimitReached,
)


class GroupOffers(msgspec.Struct, frozen=True):
    """What the current campaign sells to groups."""

    offers: list[GroupOffer]


class MyGroup(msgspec.Struct, frozen=True):
    """A group of the shopper's, with where the own seat stands and its order."""

    group: Group
    seat: SeatState
    order_id: UUID | None


class MyGroups(msgspec.Struct, frozen=True):
    """The shopper's last 50 groups, newest first."""

    groups: list[MyGroup]


@get(
    "/api/v1/group-offers",
    summary="What is sold to groups",
    tags=["groups"],
    operation_id="ListGroupOffers",
    responses=refuses(),
)
async def list_offers(groups: Groups, db: Database) -> GroupOffers:
    """Return every product that is sold to groups, with its price, its terms and how many units are left."""
    async with db.read() as tx:
        return GroupOffers(await groups.on_sale(tx))


@post(
    "/api/v1/groups",
    summary="Open a group",
    tags=["groups"],
    operation_id="OpenGroup",
    responses=refuses(*_ORDERING),
)
async def open_group(
    *,
    data: OpenGroup,
    session: SessionFacts,
    groups: Groups,
    admission: Admission,
    queue: Queue,
    pricing: Pricing,
    clock: Clock,
    idempotency_key: Key,
    admission_pass: str,
) -> Joined:
    """Open a group with the first seat in it, and place that seat's order: pay it as any other order.

    Share the group's id; when all its seats are paid in time, all orders are confirmed, else all are refunded.
    """
    campaign_id = pricing.rules.campaign_id
    admission.check_pass(admission_pass, session.account_id, campaign_id, clock.now(), device=session.session_id)
    queue.require_inside(session.account_id)
    return await groups.open(session.account_id, idempotency_key, data, session_id=session.session_id)


@post(
    "/api/v1/groups/{group_id:uuid}/seats",
    summary="Join a group",
    tags=["groups"],
    operation_id="JoinGroup",
    responses=refuses(*_ORDERING, GroupUnknown, GroupEnded, GroupFull, AlreadyInGroup),
)
async def join_group(
    *,
    group_id: UUID,
    data: JoinGroup,
    session: SessionFacts,
    groups: Groups,
    admission: Admission,
    queue: Queue,
    pricing: Pricing,
    clock: Clock,
    idempotency_key: Key,
    admission_pass: str,
) -> Joined:
    """Take a seat in a group and place its order. A seat that is not paid in time is free again."""
    campaign_id = pricing.rules.campaign_id
    admission.check_pass(admission_pass, session.account_id, campaign_id, clock.now(), device=session.session_id)
    queue.require_inside(session.account_id)
    return await groups.join(session.account_id, idempotency_key, group_id, data, session_id=session.session_id)


@get(
    "/api/v1/groups/{group_id:uuid}",
    summary="One group",
    tags=["groups"],
    operation_id="ShowGroup",
    responses=refuses(GroupUnknown),
)
async def show_group(group_id: UUID, maybe_account: AccountId | None, groups: Groups, db: Database) -> GroupView:
    """Return how far a group is. Everybody who knows its id may ask; who its members are is told to nobody."""
    async with db.read() as tx:
        return await groups.view(tx, group_id, maybe_account)


@get(
    "/api/v1/groups",
    summary="My groups",
    tags=["groups"],
    operation_id="ListMyGroups",
    responses=refuses(NotSignedIn),
)
async def my_groups(account: AccountId, groups: Groups, db: Database) -> MyGroups:
    """Return the shopper's own groups, newest first."""
    async with db.read() as tx:
        found = await groups.groups_of(tx, account)
    return MyGroups([MyGroup(group, seat.state, seat.order_id) for group, seat in found])


routes = [list_offers, open_group, join_group, show_group, my_groups]
