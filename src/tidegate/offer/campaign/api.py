"""The use cases of a campaign: publish a definition, know the current version and its phase, look back."""

from collections.abc import Sequence
from datetime import datetime

from tidegate.base.clock import Clock
from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign import draft_store, rules, store
from tidegate.offer.campaign.aftersale_terms import protected_skus
from tidegate.offer.campaign.benefit_terms import Wording
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    CampaignId,
    CampaignPublished,
    CampaignVersion,
    Fault,
    Phase,
    VersionSummary,
)
from tidegate.offer.campaign.coupons import claim_window, valid_until
from tidegate.offer.campaign.defences import defences_of
from tidegate.offer.campaign.definition import OpenFile, read_definition
from tidegate.offer.campaign.difference import Difference, RuleDifference, differences, rule_differences
from tidegate.offer.campaign.draft_contracts import CampaignFiles, Draft, RevisionSummary
from tidegate.offer.campaign.drafts import Drafts, first_draft, read_draft
from tidegate.offer.campaign.errors import CampaignUnknown, DefinitionFaulty, PublicationStopped
from tidegate.offer.campaign.fault_words import fault_words
from tidegate.offer.campaign.places import Places
from tidegate.offer.campaign.prize_draws import draw_words
from tidegate.offer.campaign.queue_terms import queue_words
from tidegate.offer.campaign.rate_limits import rate_limits_of
from tidegate.offer.campaign.reviewing import (
    Finding,
    ReachedPrice,
    Review,
    Reviewer,
    Severity,
    Waiver,
    Way,
    stopping,
    with_kept,
)
from tidegate.offer.campaign.rule_items import rule_items
from tidegate.offer.campaign.terms import PublishedRules, limit_words, offer_terms, published_rules
from tidegate.offer.campaign.writing import write_definition

__all__ = [
    "Campaign",
    "CampaignFiles",
    "Difference",
    "Draft",
    "Drafts",
    "Finding",
    "OpenFile",
    "Places",
    "PublishedRules",
    "ReachedPrice",
    "Review",
    "Reviewer",
    "RevisionSummary",
    "RuleDifference",
    "Severity",
    "Waiver",
    "Way",
    "Wording",
    "claim_window",
    "defences_of",
    "differences",
    "draw_words",
    "fault_words",
    "first_draft",
    "limit_words",
    "offer_terms",
    "protected_skus",
    "published_rules",
    "queue_words",
    "rate_limits_of",
    "read_definition",
    "read_draft",
    "rule_differences",
    "rule_items",
    "stopping",
    "valid_until",
    "write_definition",
]

VERSIONS_MAX = 1_000


class Campaign:
    """Holds the current version in memory; `refresh` keeps it so."""

    def __init__(self, clock: Clock, outbox: Outbox) -> None:
        self._clock = clock
        self._outbox = outbox
        self.drafts = Drafts(clock)
        self._current: CampaignVersion | None = None
        self._reviewer: Reviewer | None = None
        self._intact: set[str] = set()
        """Digests of the rows of versions that were found to match their hash."""

    def review_by(self, reviewer: Reviewer) -> None:
        """Let `reviewer` look at every definition before it is published."""
        self._reviewer = reviewer

    def faults(self, definition: CampaignDefinition) -> list[Fault]:
        """Everything that keeps this definition from being published; empty if nothing does."""
        return rules.find_faults(definition)

    async def publish(
        self, tx: Tx, definition: CampaignDefinition, by: str, waivers: Sequence[Waiver] = (), *, reason: str = ""
    ) -> CampaignVersion:
        """Make a definition the current version, in this transaction, and announce CampaignPublished.

        `reason` is kept with the publication: at most 500 characters.

        Content that was published before gets no new version; if it is current already, nothing happens at all.
        Publications wait for each other. Raises DefinitionFaulty; PublicationStopped for what the reviewer finds and
        `waivers` do not cover; those with which the same content was published before still count.
        """
        faults = rules.find_faults(definition)
        if faults:
            raise DefinitionFaulty(faults)
        await store.lock_publishing(tx)
        sha256 = rules.content_hash(rules.canonical(definition))
        known = await store.version_of_content(tx, definition.id, sha256)
        if known is not None and await store.current_key(tx) == (known.campaign_id, known.version):
            return known
        await self._pass_review(tx, definition, sha256, waivers)
        version = known or await self._add_version(tx, definition, by)
        await self._make_current(tx, version, by, reason)
        return version

    async def hold_publishing(self, tx: Tx) -> None:
        """Until the transaction ends nobody else publishes: what is read now is still so when this one publishes."""
        await store.lock_publishing(tx)

    async def _pass_review(
        self, tx: Tx, definition: CampaignDefinition, sha256: str, waivers: Sequence[Waiver]
    ) -> None:
        if self._reviewer is None:
            return
        review = await self._reviewer.review(tx, definition)
        kept = await self._reviewer.waived(tx, definition.id, sha256)
        waived = with_kept(review.findings, waivers, kept)
        found = stopping(review.findings, waived)
        if found:
            raise PublicationStopped(found)
        await self._reviewer.keep(tx, definition.id, sha256, review, waived)

    async def _add_version(self, tx: Tx, definition: CampaignDefinition, by: str) -> CampaignVersion:
        content = rules.canonical(definition)
        sha256, now = rules.content_hash(content), self._clock.now()
        number = await store.add_version(tx, definition.id, content=content, sha256=sha256, at=now, by=by)
        return CampaignVersion(
            campaign_id=definition.id,
            version=number,
            definition=definition,
            published_at=now,
            published_by=by,
            sha256=sha256,
        )

    async def _make_current(self, tx: Tx, version: CampaignVersion, by: str, reason: str) -> None:
        now = self._clock.now()
        await store.add_publication(tx, version.campaign_id, version.version, now, by, reason)
        await self._outbox.append(
            tx,
            CampaignPublished(
                campaign_id=version.campaign_id,
                version=version.version,
                sha256=version.sha256,
                published_at=now,
                published_by=by,
            ),
        )

    def current(self) -> CampaignVersion | None:
        """The current version, as of the last `refresh`; None if nothing has been published."""
        return self._current

    def phase(self, now: datetime) -> Phase | None:
        """The current campaign's phase at `now`; None before, after and between phases, and without a campaign."""
        return rules.phase_at(self._current.definition, now) if self._current else None

    async def refresh(self, tx: Tx) -> bool:
        """Take up the version that was published last; whether it is another one. Cheap: call it every second."""
        key = await store.current_key(tx)
        held = self._current
        if key is None or (held is not None and key == (held.campaign_id, held.version)):
            return False
        self._current = await store.version(tx, *key)
        return True

    async def version(self, tx: Tx, campaign_id: CampaignId, number: int | None = None) -> CampaignVersion:
        """That version of a campaign, or the one of it that was published last. Raises CampaignUnknown."""
        held = self._current
        if held is not None and (held.campaign_id, held.version) == (campaign_id, number):
            return held
        found = await store.version(tx, campaign_id, number)
        if found is None:
            what = f"Version {number} of the campaign" if number is not None else "The campaign"
            raise CampaignUnknown(f'{what} "{campaign_id}" was never published. See `tidegate campaign show`.')
        return found

    async def versions(self, tx: Tx, campaign_id: CampaignId | None = None, limit: int = 100) -> list[VersionSummary]:
        """Versions of one campaign, or of all, newest first."""
        return await store.summaries(tx, campaign_id, min(limit, VERSIONS_MAX))

    async def check(self, tx: Tx) -> list[Check]:
        """The invariants: content matches its hash, numbers have no gap."""
        keys = await store.prints(tx)
        changed = []
        for campaign_id, number, digest in keys:
            if digest in self._intact:
                continue  # the very row was hashed here before, and hashing it takes the worker's time
            version = await store.version(tx, campaign_id, number)
            if version and rules.content_hash(rules.canonical(version.definition)) != version.sha256:
                changed.append(f"{campaign_id} version {number}")
            else:
                self._intact.add(digest)
        gaps, lost = await store.gaps(tx), await draft_store.gaps(tx)
        return [
            Check(
                name="published campaigns unchanged", holds=not changed, examined=len(keys), detail=", ".join(changed)
            ),
            Check(name="campaign versions without gaps", holds=not gaps, examined=len(keys), detail=", ".join(gaps)),
            Check(name="campaign drafts without gaps", holds=not lost, examined=len(keys), detail=", ".join(lost)),
        ]
