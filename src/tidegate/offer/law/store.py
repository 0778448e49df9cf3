"""All SQL of the law: reviews of what was published, and waivers."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from tidegate.base.db import Tx
from tidegate.offer.campaign.api import Review, Waiver
from tidegate.offer.law.contracts import KeptReview

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Review).decode


async def add_review(tx: Tx, campaign_id: str, sha256: str, review: Review) -> int:
    """Keep a review; its number."""
    row = await tx.execute(
        "insert into law.review (campaign_id, sha256, review, reviewed_at) values (%s, %s, %s::json, %s)"
        " returning number",
        [campaign_id, sha256, _encode(review).decode(), review.reviewed_at],
    )
    added = await row.fetchone()
    assert added is not None
    return int(added[0])


async def add_waivers(tx: Tx, review: int, waivers: Sequence[Waiver], at: datetime) -> None:
    """Keep what was waived in a review."""
    for waiver in waivers:
        await tx.execute(
            "insert into law.waiver (review, law, waived_by, reason, waived_at) values (%s, %s, %s, %s, %s)",
            [review, waiver.law, waiver.by, waiver.reason, at],
        )


async def last_review(tx: Tx, campaign_id: str, sha256: str) -> KeptReview | None:
    """The last review of a content that was published, with its waivers."""
    row = await tx.execute(
        "select number, review::text from law.review where campaign_id = %s and sha256 = %s"
        " order by number desc limit 1",
        [campaign_id, sha256],
    )
    found = await row.fetchone()
    if found is None:
        return None
    rows = await tx.execute("select law, waived_by, reason from law.waiver where review = %s order by law", [found[0]])
    waivers = tuple(Waiver(law=law, by=by, reason=reason) for law, by, reason in await rows.fetchall())
    return KeptReview(review=_decode(found[1]), waivers=waivers)


async def passed_unlawfully(tx: Tx) -> tuple[int, list[int]]:
    """How many reviews are kept, and the numbers of those with a blocking finding or an unwaived warning (ten)."""
    rows = await tx.execute(
        """
        with found as (
            select review.number, finding ->> 'severity' as severity, finding ->> 'law' as law
            from law.review, json_array_elements(review.review -> 'findings') as finding
        )
        select (select count(*) from law.review), array(
            select distinct number from found
            where severity = 'blocking' or (severity = 'warning' and not exists (
                select from law.waiver where waiver.review = found.number and waiver.law = found.law))
            order by number limit 10)
        """
    )
    row = await rows.fetchone()
    return (row[0], row[1]) if row else (0, [])
