"""Doors to prize draws: how far each is, its sealed list, one's own entries and prizes, and claiming one."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import Parameter

from tidegate.base.db import Database
from tidegate.base.openapi import refuses
from tidegate.offer.campaign.errors import NoCampaign
from tidegate.offer.pricing.api import Pricing
from tidegate.sale.draws.api import Draws
from tidegate.sale.draws.contracts import ClaimPrize, DrawView, OwnAward, OwnEntry, SealedEntry
from tidegate.sale.draws.errors import (
    AddressNeeded,
    ClaimedOtherwise,
    ClaimOver,
    DrawUnknown,
    PrizeEnded,
    PrizeNotWon,
)
from tidegate.trust.identity.contracts import AccountId
from tidegate.trust.identity.errors import AddressUnknown, NotSignedIn


class DrawList(msgspec.Struct, frozen=True):
    """The draws of the current campaign, in the order of their closing."""

    draws: list[DrawView]


class SealedList(msgspec.Struct, frozen=True):
    """Up to 1,000 lines of a sealed list, in the order of their serials."""

    entries: list[SealedEntry]


class OwnEntries(msgspec.Struct, frozen=True):
    """The shopper's own entries."""

    entries: list[OwnEntry]


class OwnAwards(msgspec.Struct, frozen=True):
    """The shopper's own prizes, those drawn last first."""

    prizes: list[OwnAward]


@get(
    "/api/v1/draws",
    summary="Prize draws",
    tags=["draws"],
    operation_id="ListDraws",
    responses=refuses(NoCampaign),
)
async def list_draws(maybe_account: AccountId | None, draws: Draws, pricing: Pricing, db: Database) -> DrawList:
    """Return the campaign's draws: conditions and prizes, hash, root and seed as far as they are public, winners."""
    async with db.read() as tx:
        return DrawList(await draws.views(tx, pricing.rules.campaign_id, maybe_account))


@get(
    "/api/v1/draws/{draw_id:uuid}/sealed",
    summary="The sealed list of a draw",
    tags=["draws"],
    operation_id="ListSealedEntries",
    responses=refuses(DrawUnknown),
)
async def list_sealed(
    draw_id: UUID,
    draws: Draws,
    db: Database,
    from_serial: Annotated[int, Parameter(ge=0, le=2**53, description="From this serial on.")] = 0,
) -> SealedList:
    """Return lines of the sealed list. Its Merkle root is the one that was published: with the seed, anybody can
    compute every rank and every winner again.
    """
    async with db.read() as tx:
        return SealedList(await draws.sealed(tx, draw_id, from_serial))


@get(
    "/api/v1/draws/{draw_id:uuid}/entries",
    summary="My entries in a draw",
    tags=["draws"],
    operation_id="ListOwnEntries",
    responses=refuses(NotSignedIn, DrawUnknown),
)
async def list_own(draw_id: UUID, account: AccountId, draws: Draws, db: Database) -> OwnEntries:
    """Return the shopper's own entries: once the list is sealed with the salt that opens each line of it."""
    async with db.read() as tx:
        return OwnEntries(await draws.entries_of(tx, draw_id, account))


@get(
    "/api/v1/prizes",
    summary="My prizes",
    tags=["draws"],
    operation_id="ListOwnPrizes",
    security=[{"session": []}],
    responses=refuses(NotSignedIn),
)
async def list_prizes(account: AccountId, draws: Draws, db: Database) -> OwnAwards:
    """Return what the shopper won in draws of whatever campaign, and what became of it; 50 at most."""
    async with db.read() as tx:
        return OwnAwards([draws.prizes.shown(each) for each in await draws.prizes.won_by(tx, account)])


@post(
    "/api/v1/draws/{draw_id:uuid}/claims",
    summary="Claim my prize",
    description=(
        "Claims what the signed-in shopper won in a draw; a prize that is sent needs one of the shopper's addresses. "
        "Claimed again it stays as it was."
    ),
    status_code=200,
    tags=["draws"],
    operation_id="ClaimPrize",
    security=[{"session": []}],
    responses=refuses(NotSignedIn, PrizeNotWon, AddressNeeded, AddressUnknown, ClaimedOtherwise, ClaimOver, PrizeEnded),
)
async def claim_prize(draw_id: UUID, data: ClaimPrize, account: AccountId, draws: Draws, db: Database) -> OwnAward:
    """Return the prize as it stands now. Raises what `Prizes.claim` raises."""
    async with db.transaction() as tx:
        return draws.prizes.shown(await draws.prizes.claim(tx, draw_id, account, data.address_id))


routes = [list_draws, list_sealed, list_own, list_prizes, claim_prize]
