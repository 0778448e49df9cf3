"""The use cases of the law: review a definition, keep what was found and waived, look it up."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime

from tidegate.base.clock import Clock
from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign, Review, Waiver
from tidegate.offer.campaign.contracts import REPLAYS, CampaignDefinition, CampaignId, CampaignVersion
from tidegate.offer.campaign.errors import CampaignUnknown
from tidegate.offer.history.api import PriceHistory
from tidegate.offer.history.contracts import Evidence
from tidegate.offer.law import rules, store
from tidegate.offer.law.acts import laws_of, place_of, read_acts
from tidegate.offer.law.contracts import Case, KeptReview, Law
from tidegate.offer.law.reductions import reduced_from
from tidegate.offer.reach.api import lowest_of_version, lowest_prices

__all__ = ["CampaignLaw", "all_laws", "build_law", "place_of"]


def all_laws() -> list[Law]:
    """Every article that is checked, of every jurisdiction."""
    return [law for jurisdiction in read_acts() for law in laws_of(jurisdiction)]


def build_law(clock: Clock, campaign: Campaign, outbox: Outbox) -> tuple[PriceHistory, "CampaignLaw"]:
    """The price history, hearing of publications, and the law that reads it and reviews them."""
    history = PriceHistory(clock, campaign, place_of=place_of, reachable=lowest_of_version)
    history.subscribe(outbox)
    law = CampaignLaw(clock, campaign, history)
    campaign.review_by(law)
    return history, law


class CampaignLaw:
    """Fulfils the campaign's `Reviewer`."""

    def __init__(self, clock: Clock, campaign: Campaign, history: PriceHistory) -> None:
        self._clock = clock
        self._campaign = campaign
        self._history = history

    async def review(self, tx: Tx, definition: CampaignDefinition, *, search: bool = True) -> Review:
        """What the law says of a definition that were published now, and its lowest prices, worst first. Reads only.

        Prices of before are those before the sale starts, of a presale before deposits are taken for it.
        Without `search` the lowest prices, which take seconds for a thousand products, are left out, and so is what
        hangs on them: floors and costs.
        """
        laws = rules.laws_of_campaign(definition)
        lowest = await asyncio.to_thread(lowest_prices, self._as_version(definition)) if search else ()
        case = Case(
            definition=definition,
            at=self._clock.now(),
            evidence=await self._evidence(tx, definition, rules.days_asked(laws)),
            earlier=await self._earlier(tx, definition.id),
            running=await self._running(tx, definition),
            lowest=tuple(lowest),
            presales=rules.presales_of(definition),
            prizes=rules.prizes_of(definition),
        )
        return rules.review_of(case, laws)

    async def _evidence(
        self, tx: Tx, definition: CampaignDefinition, days_asked: set[int]
    ) -> dict[int, dict[str, Evidence]]:
        """What is known of each product in so many days before its own reduction begins."""
        begins = reduced_from(definition)
        moments: dict[datetime, list[tuple[str, str]]] = {}
        for entry in definition.goods:
            moments.setdefault(begins[entry.sku], []).append((entry.sku, entry.shop))
        found: dict[int, dict[str, Evidence]] = {}
        for days in sorted(days_asked):
            known: dict[str, Evidence] = {}
            for until, products in moments.items():
                known |= await self._history.evidence(tx, products, definition.currency, days=days, until=until)
            found[days] = known
        return found

    async def _earlier(self, tx: Tx, campaign_id: CampaignId) -> CampaignDefinition | None:
        try:
            return (await self._campaign.version(tx, campaign_id)).definition
        except CampaignUnknown:
            return None

    async def _running(self, tx: Tx, definition: CampaignDefinition) -> CampaignDefinition | None:
        """What shoppers are promised now under another id, in the same currency: one campaign is on at a time.

        Replays of order logs promise nothing, and what they interrupt is published again after them.
        """
        if re.match(REPLAYS, definition.id):
            return None
        last = await self._campaign.last_published(tx, besides=REPLAYS)
        if last is None or last.campaign_id == definition.id or last.definition.currency != definition.currency:
            return None
        return last.definition

    def _as_version(self, definition: CampaignDefinition) -> CampaignVersion:
        return CampaignVersion(
            campaign_id=definition.id,
            version=0,
            definition=definition,
            published_at=self._clock.now(),
            published_by="review",
            sha256="",
        )

    async def waived(self, tx: Tx, campaign_id: CampaignId, sha256: str) -> Sequence[Waiver]:
        """The waivers with which this very content was published before."""
        kept = await store.last_review(tx, campaign_id, sha256)
        return kept.waivers if kept else ()

    async def keep(
        self, tx: Tx, campaign_id: CampaignId, sha256: str, review: Review, waivers: Sequence[Waiver]
    ) -> None:
        """Keep the review of the content that is published, with its waivers. Raises WaiverFaulty."""
        rules.require_waivers(waivers, review)
        number = await store.add_review(tx, campaign_id, sha256, review)
        await store.add_waivers(tx, number, waivers, self._clock.now())

    async def review_of(self, tx: Tx, campaign_id: CampaignId, sha256: str) -> KeptReview | None:
        """The last review with which this content was published; None if it was published without one."""
        return await store.last_review(tx, campaign_id, sha256)

    async def check(self, tx: Tx) -> list[Check]:
        """The invariant: nothing was published against a blocking finding or an unwaived warning."""
        examined, broken = await store.passed_unlawfully(tx)
        return [
            Check(
                name="law: nothing was published against the law",
                holds=not broken,
                examined=examined,
                detail=", ".join(f"review {number}" for number in broken),
            )
        ]
