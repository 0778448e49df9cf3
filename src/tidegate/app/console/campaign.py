"""The campaign for staff: what is on now, its goals and phases, and every version that was ever published."""

from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from tidegate.app.console.findings import grouped
from tidegate.app.console.frame import Desk, PageRequest
from tidegate.base.db import Database, Tx
from tidegate.offer.campaign.api import Campaign, Difference, differences
from tidegate.offer.campaign.contracts import VersionSummary
from tidegate.offer.law.api import CampaignLaw
from tidegate.trust.identity.contracts import Permission, Staff
from tidegate.trust.identity.http import requires
from tidegate.watch.monitor.api import Monitor

Version = Annotated[int | None, QueryParameter(ge=1, le=1_000_000)]


@get("/console/campaign", include_in_schema=False, dependencies={"staff": requires(Permission.CAMPAIGN_VIEW)})
async def campaign_page(
    *,
    request: PageRequest,
    desk: Desk,
    staff: Staff,
    db: Database,
    campaign: Campaign,
    law: CampaignLaw,
    monitor: Monitor,
    version: Version = None,
) -> Response[bytes]:
    """Show the current version, its goals, its review and all versions; `version` shows what that one changed."""
    current = campaign.current()
    async with db.read() as tx:
        snapshot = await monitor.live(tx, points=False)
        versions = await campaign.versions(tx, current.campaign_id) if current else []
        looked_at = next((each for each in versions if each.version == version), None)
        earlier = next((each for each in versions if looked_at and each.version < looked_at.version), None)
        changed = await _changed(tx, campaign, earlier, looked_at)
        reviewed = looked_at or current
        kept = await law.review_of(tx, reviewed.campaign_id, reviewed.sha256) if reviewed else None
    return await desk.show(
        request,
        staff,
        "campaign",
        "campaign.html",
        current=current,
        snapshot=snapshot,
        figures={figure.key: figure for figure in snapshot.figures},
        versions=versions,
        looked_at=looked_at,
        earlier=earlier,
        changed=changed,
        reviewed=reviewed,
        kept=kept,
        findings=grouped(kept.review.findings) if kept else [],
    )


async def _changed(
    tx: Tx, campaign: Campaign, earlier: VersionSummary | None, later: VersionSummary | None
) -> list[Difference]:
    if earlier is None or later is None:
        return []
    before = await campaign.version(tx, earlier.campaign_id, earlier.version)
    after = await campaign.version(tx, later.campaign_id, later.version)
    return differences(before.definition, after.definition)
