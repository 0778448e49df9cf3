"""All SQL of drafts: each save is a row, and rows are only added."""

from typing import Any

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.offer.campaign.draft_contracts import CampaignFiles, Draft, RevisionSummary


async def draft(tx: Tx, campaign_id: CampaignId, revision: int | None) -> Draft | None:
    """That revision of a campaign's draft, or its last one."""
    found = await tx.execute(
        """
        select campaign_id, revision, campaign_text, goods_text, offers_text, based_on, saved_at, saved_by
        from campaign.draft
        where campaign_id = %(id)s and (revision = %(revision)s or %(revision)s::integer is null)
        order by revision desc
        limit 1
        """,
        {"id": campaign_id, "revision": revision},
    )
    row: tuple[Any, ...] | None = await found.fetchone()
    if row is None:
        return None
    return Draft(
        campaign_id=CampaignId(row[0]),
        revision=row[1],
        files=CampaignFiles(campaign=row[2], goods=row[3], offers=row[4]),
        based_on=row[5],
        saved_at=row[6],
        saved_by=row[7],
    )


async def add_draft(tx: Tx, draft: Draft) -> bool:
    """Keep a revision; False, with nothing changed, if there is one of its number already."""
    try:
        async with tx.transaction():
            await tx.execute(
                """
                insert into campaign.draft
                    (campaign_id, revision, campaign_text, goods_text, offers_text, based_on, saved_at, saved_by)
                values (%(id)s, %(revision)s, %(campaign)s, %(goods)s, %(offers)s, %(based_on)s, %(at)s, %(by)s)
                """,
                {
                    "id": draft.campaign_id,
                    "revision": draft.revision,
                    "campaign": draft.files.campaign,
                    "goods": draft.files.goods,
                    "offers": draft.files.offers,
                    "based_on": draft.based_on,
                    "at": draft.saved_at,
                    "by": draft.saved_by,
                },
            )
    except UniqueViolation:
        return False
    return True


async def revisions(tx: Tx, campaign_id: CampaignId, limit: int) -> list[RevisionSummary]:
    """Revisions of a draft, newest first, without their texts."""
    async with tx.cursor(row_factory=class_row(RevisionSummary)) as cursor:
        await cursor.execute(
            """
            select revision, based_on, saved_at, saved_by
            from campaign.draft
            where campaign_id = %(id)s
            order by revision desc
            limit %(limit)s
            """,
            {"id": campaign_id, "limit": limit},
        )
        return await cursor.fetchall()


async def gaps(tx: Tx) -> list[str]:
    """Campaigns whose drafts are not numbered 1, 2, 3, ... without a gap."""
    rows = await tx.execute(
        "select campaign_id from campaign.draft group by campaign_id having max(revision) <> count(*) order by 1"
    )
    return [campaign_id for (campaign_id,) in await rows.fetchall()]
