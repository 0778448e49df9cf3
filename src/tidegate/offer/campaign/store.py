"""All SQL of the campaign: versions and the log of publications."""

from datetime import datetime
from typing import Any

import msgspec
from psycopg.rows import class_row

from tidegate.base.db import Tx
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignId, CampaignVersion, VersionSummary, Words

_decode = msgspec.json.Decoder(CampaignDefinition).decode

VERSION = """
    select campaign_id, version, definition::text as definition, published_at, published_by, sha256
    from campaign.version
"""


def _version(row: tuple[Any, ...] | None) -> CampaignVersion | None:
    if row is None:
        return None
    campaign_id, version, definition, published_at, published_by, sha256 = row
    return CampaignVersion(
        campaign_id=CampaignId(campaign_id),
        version=version,
        definition=_decode(definition),
        published_at=published_at,
        published_by=published_by,
        sha256=sha256,
    )


async def lock_publishing(tx: Tx) -> None:
    """One publication at a time; reading goes on."""
    await tx.execute("lock table campaign.publication in share row exclusive mode")


async def version_of_content(tx: Tx, campaign_id: CampaignId, sha256: str) -> CampaignVersion | None:
    """The version that already holds this content."""
    where = "where campaign_id = %(campaign_id)s and sha256 = %(sha256)s"
    row = await tx.execute(f"{VERSION} {where}", {"campaign_id": campaign_id, "sha256": sha256})
    return _version(await row.fetchone())


async def version(tx: Tx, campaign_id: CampaignId, number: int | None) -> CampaignVersion | None:
    """That version of a campaign, or its last published one."""
    where = """
        where campaign_id = %(campaign_id)s and version = coalesce(%(version)s::integer, (
            select version from campaign.publication
            where campaign_id = %(campaign_id)s order by number desc limit 1
        ))
    """
    row = await tx.execute(f"{VERSION} {where}", {"campaign_id": campaign_id, "version": number})
    return _version(await row.fetchone())


async def add_version(tx: Tx, campaign_id: CampaignId, *, content: bytes, sha256: str, at: datetime, by: str) -> int:
    """Keep a definition as the next version of its campaign; its number."""
    row = await tx.execute(
        """
        insert into campaign.version (campaign_id, version, definition, sha256, published_at, published_by)
        select %(id)s, coalesce(max(version), 0) + 1, %(content)s::jsonb, %(sha256)s, %(at)s, %(by)s
        from campaign.version
        where campaign_id = %(id)s
        returning version
        """,
        {"id": campaign_id, "content": content.decode(), "sha256": sha256, "at": at, "by": by},
    )
    added = await row.fetchone()
    assert added is not None
    return int(added[0])


async def add_publication(tx: Tx, campaign_id: CampaignId, number: int, at: datetime, by: str, reason: str) -> None:
    """Make a version the current one."""
    await tx.execute(
        """
        insert into campaign.publication (campaign_id, version, published_at, published_by, reason)
        values (%(id)s, %(version)s, %(at)s, %(by)s, %(reason)s)
        """,
        {"id": campaign_id, "version": number, "at": at, "by": by, "reason": reason},
    )


async def current_key(tx: Tx) -> tuple[CampaignId, int] | None:
    """Campaign and version of the last publication."""
    row = await tx.execute("select campaign_id, version from campaign.publication order by number desc limit 1")
    last = await row.fetchone()
    return (CampaignId(last[0]), last[1]) if last else None


async def key_besides(tx: Tx, besides: str) -> tuple[CampaignId, int] | None:
    """Campaign and version of the last publication of a campaign whose id does not match a regular expression."""
    row = await tx.execute(
        "select campaign_id, version from campaign.publication where campaign_id !~ %s order by number desc limit 1",
        [besides],
    )
    last = await row.fetchone()
    return (CampaignId(last[0]), last[1]) if last else None


class _SummaryRow(msgspec.Struct):
    campaign_id: str
    version: int
    zh: str
    en: str
    published_at: datetime
    published_by: str
    sha256: str
    current: bool
    reason: str


async def summaries(tx: Tx, campaign_id: CampaignId | None, limit: int) -> list[VersionSummary]:
    """Versions of one campaign or of all, newest first."""
    async with tx.cursor(row_factory=class_row(_SummaryRow)) as cursor:
        await cursor.execute(
            """
            select campaign_id, version, published_at, published_by, sha256,
                definition -> 'title' ->> 'zh' as zh, definition -> 'title' ->> 'en' as en,
                (campaign_id, version) = (
                    select campaign_id, version from campaign.publication order by number desc limit 1
                ) as current,
                coalesce((
                    select reason from campaign.publication
                    where (publication.campaign_id, publication.version) = (version.campaign_id, version.version)
                    order by number desc limit 1
                ), '') as reason
            from campaign.version
            where %(campaign_id)s::text is null or campaign_id = %(campaign_id)s
            order by published_at desc, version desc
            limit %(limit)s
            """,
            {"campaign_id": campaign_id, "limit": limit},
        )
        rows = await cursor.fetchall()
    return [
        VersionSummary(
            campaign_id=CampaignId(row.campaign_id),
            version=row.version,
            title=Words(row.zh, row.en),
            published_at=row.published_at,
            published_by=row.published_by,
            sha256=row.sha256,
            current=row.current,
            reason=row.reason,
        )
        for row in rows
    ]


async def gaps(tx: Tx) -> list[str]:
    """Campaigns whose versions are not numbered 1, 2, 3, ... without a gap."""
    rows = await tx.execute(
        "select campaign_id from campaign.version group by campaign_id having max(version) <> count(*) order by 1"
    )
    return [campaign_id for (campaign_id,) in await rows.fetchall()]


async def prints(tx: Tx) -> list[tuple[CampaignId, int, str]]:
    """Campaign and version of everything that was published, with a digest of the row as it is now."""
    rows = await tx.execute(
        "select campaign_id, version, md5(definition::text || sha256) from campaign.version"
        " order by campaign_id, version"
    )
    return [(CampaignId(campaign_id), number, digest) for campaign_id, number, digest in await rows.fetchall()]
