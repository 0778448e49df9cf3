"""Doors to prize draws: how far each is, its sealed list, one's own entries with what opens them."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import Parameter

from tidegate.base.db import Database
from tidegate.base.openapi import refuses
from tidegate.offer.campaign.errors import NoCampaign
from tidegate.offer.pricing.api import Pricing
from tidegate.sale.draws.api import Draws
from tidegate.sale.draws.contracts import DrawView, OwnEntry, SealedEntry
from tidegate.sale.draws.errors import DrawUnknown
from tidegate.trust.identity.contracts import AccountId
from tidegate.trust.identity.errors import NotSignedIn


class DrawList(msgspec.Struct, frozen=True):
    """The draws of the current campaign, in the order of their closing."""

    draws: list[DrawView]


class SealedList(msgspec.Struct, frozen=True):
    """Up to 1,000 lines of a sealed list, in the order of their serials."""

    entries: list[SealedEntry]


class OwnEntries(msgspec.Struct, frozen=True):
    """The shopper's own entries."""

    entries: list[OwnEntry]


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


routes = [list_draws, list_sealed, list_own]
