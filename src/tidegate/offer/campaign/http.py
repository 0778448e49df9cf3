"""JSON doors of the campaign: what is on and when, the published rules, their history. Public, with validators."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import CacheControlHeader
from litestar.params import QueryParameter
from litestar.status_codes import HTTP_304_NOT_MODIFIED

from tidegate.base.clock import Clock
from tidegate.base.db import Database
from tidegate.base.http import etag, matches
from tidegate.base.openapi import refuses
from tidegate.offer.campaign.api import Campaign, PublishedRules, published_rules
from tidegate.offer.campaign.contracts import (
    Audience,
    CampaignId,
    CampaignVersion,
    Phase,
    PhaseName,
    Theme,
    Words,
)
from tidegate.offer.campaign.errors import CampaignUnknown, NoCampaign

OFFERS_MAX = 1_000
VERSION_MAX = 2**31 - 1

AnyRequest = Request[Any, Any, Any]
Slug = Annotated[
    str | None,
    QueryParameter(
        pattern="^[a-z][a-z0-9-]{0,39}$", max_length=40, description="A campaign's id; without it, the current one."
    ),
]
Number = Annotated[
    int | None, QueryParameter(ge=1, le=VERSION_MAX, description="A version's number; without it, the last published.")
]


class CampaignView(msgspec.Struct, frozen=True, kw_only=True):
    """The current campaign, as shoppers may know it. `phase` is the one that `at` lies in, or null between phases."""

    campaign_id: CampaignId
    version: int
    sha256: str
    title: Words
    theme: Theme
    audience: tuple[Audience, ...]
    accent: Annotated[str, msgspec.Meta(examples=["#c8102e"])]
    currency: Annotated[str, msgspec.Meta(examples=["CNY"])]
    phase: PhaseName | None
    phases: tuple[Phase, ...]
    offers_count: int
    at: datetime


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """One published version, in public."""

    campaign_id: CampaignId
    version: int
    title: Words
    published_at: datetime
    sha256: str
    current: bool


@get(
    "/api/v1/campaign",
    summary="The current campaign",
    description="Title, phases with their dates, and the phase that it is now by the server's clock (`at`).",
    tags=["campaign"],
    cache_control=CacheControlHeader(public=True, max_age=1, s_maxage=1),
    sync_to_thread=False,
    responses=refuses(NoCampaign),
)
def current_campaign(campaign: Campaign, clock: Clock) -> CampaignView:
    """Return the current campaign. Raises NoCampaign."""
    version, now = _current(campaign), clock.now()
    definition, phase = version.definition, campaign.phase(now)
    return CampaignView(
        campaign_id=version.campaign_id,
        version=version.version,
        sha256=version.sha256,
        title=definition.title,
        theme=definition.theme,
        audience=definition.audience,
        accent=definition.accent,
        currency=definition.currency,
        phase=phase.name if phase else None,
        phases=definition.phases,
        offers_count=len(definition.offers),
        at=now,
    )


@get(
    "/api/v1/campaign/rules",
    summary="The published rules",
    description=(
        "Every condition of offers, coupons, limits, shipping and returns, made from the same definition that prices "
        "orders. Amounts are in minor units. Offers come in parts: page with `offset` and `limit` up to `offers_total`."
    ),
    tags=["campaign"],
    responses=refuses(NoCampaign, CampaignUnknown),
)
async def campaign_rules(
    *,
    request: AnyRequest,
    campaign: Campaign,
    db: Database,
    campaign_id: Slug = None,
    version: Number = None,
    offset: Annotated[int, QueryParameter(ge=0, le=100_000, description="Offers to leave out.")] = 0,
    limit: Annotated[int, QueryParameter(ge=0, le=OFFERS_MAX, description="Offers at most.")] = 100,
) -> Response[PublishedRules | None]:
    """Return the published rules of a version. Raises NoCampaign, CampaignUnknown."""
    found = await _version(campaign, db, campaign_id, version)
    tag = etag(f"{found.sha256} {found.version} {offset} {limit}".encode())
    headers = {"ETag": tag, "Cache-Control": "public, max-age=5"}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(None, status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(published_rules(found, offset=offset, limit=limit), headers=headers)


@get(
    "/api/v1/campaign/versions",
    summary="The published versions",
    description="Every version that was ever published, newest first; the last 100. None is ever changed or deleted.",
    tags=["campaign"],
    responses=refuses(NoCampaign, CampaignUnknown),
)
async def campaign_versions(campaign: Campaign, db: Database, campaign_id: Slug = None) -> list[VersionView]:
    """Return the history of one campaign, or of all."""
    async with db.read() as tx:
        versions = await campaign.versions(tx, CampaignId(campaign_id) if campaign_id else None)
    return [
        VersionView(
            campaign_id=each.campaign_id,
            version=each.version,
            title=each.title,
            published_at=each.published_at,
            sha256=each.sha256,
            current=each.current,
        )
        for each in versions
    ]


def _current(campaign: Campaign) -> CampaignVersion:
    version = campaign.current()
    if version is None:
        raise NoCampaign("No campaign has been published yet. Come back later.")
    return version


async def _version(campaign: Campaign, db: Database, campaign_id: str | None, number: int | None) -> CampaignVersion:
    if campaign_id is None:
        current = _current(campaign)
        if number in {None, current.version}:
            return current
        campaign_id = current.campaign_id
    async with db.read() as tx:
        return await campaign.version(tx, CampaignId(campaign_id), number)


routes = [current_campaign, campaign_rules, campaign_versions]
