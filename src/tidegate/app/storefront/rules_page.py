"""The published rules: every condition of the campaign, of any version, and what differs between two of them."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.params import Parameter

from tidegate.app.pages.rendering import Html
from tidegate.app.storefront.offers import Offers
from tidegate.app.storefront.visit import Visit
from tidegate.base.db import Database, Tx
from tidegate.offer.campaign.api import (
    Campaign,
    RuleDifference,
    Wording,
    published_rules,
    rule_differences,
    rule_items,
)
from tidegate.offer.campaign.contracts import CampaignVersion, Words

RULES_GOODS = 50
PRINTED_GOODS_MAX = 2_000
VERSIONS_MAX = 100

Number = Annotated[int | None, Parameter(ge=1, le=2**31 - 1)]


class Comparison(msgspec.Struct, frozen=True):
    """What differs between the version shown and an earlier or later one."""

    against: CampaignVersion
    found: list[RuleDifference]


@get("/rules", include_in_schema=False)
async def rules(
    *,
    visit: Visit,
    offers: Offers,
    campaign: Campaign,
    db: Database,
    page: Annotated[int, Parameter(ge=1, le=10_000)] = 1,
    version: Number = None,
    against: Number = None,
    print_all: Annotated[bool, Parameter(query="all")] = False,
) -> Response[bytes]:
    """Every rule of a version, made from the same definition that prices the orders; without `version` the current."""

    async def make() -> Html:
        current = visit.version
        if current is None:
            return visit.render("closed")
        async with db.read() as tx:
            shown = await _version(tx, campaign, current, version)
            names = {each.slug: each.name for each in await offers.categories(tx)}
            versions = await campaign.versions(tx, current.campaign_id, VERSIONS_MAX)
            earlier = await _version(tx, campaign, shown, against)
        wording = Wording(shown.definition, zone=visit.zone, categories=names)
        compared = _comparison(earlier, shown, visit, names) if against is not None else None
        count = PRINTED_GOODS_MAX if print_all else RULES_GOODS
        here = published_rules(shown, offset=(page - 1) * count, limit=count, wording=wording)
        return visit.render(
            "rules",
            shown=shown,
            rules=here,
            page=page,
            page_count=max(1, -(-here.offers_total // count)),
            link=_Links(version, print_all=print_all),
            versions=versions,
            compared=compared,
        )

    return await visit.public(make)


async def _version(tx: Tx, campaign: Campaign, current: CampaignVersion, number: int | None) -> CampaignVersion:
    return current if number is None else await campaign.version(tx, current.campaign_id, number)


def _comparison(
    against: CampaignVersion, shown: CampaignVersion, visit: Visit, names: Mapping[str, Words]
) -> Comparison:
    before, after = (
        rule_items(each, Wording(each.definition, zone=visit.zone, categories=names)) for each in (against, shown)
    )
    return Comparison(against, rule_differences(before, after))


class _Links:
    """Addresses of the parts of the list of offers."""

    def __init__(self, version: int | None, *, print_all: bool) -> None:
        self._given = [f"version={version}"] if version is not None else []
        self._given += ["all=true"] if print_all else []

    def __call__(self, page: int) -> str:
        asked = [*self._given, *([f"page={page}"] if page > 1 else [])]
        return f"/rules{'?' if asked else ''}{'&'.join(asked)}#offers"


routes = [rules]
