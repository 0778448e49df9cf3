"""Publishing a campaign: its version, its goods and its stock become true in one transaction."""

from collections.abc import Sequence

from tidegate.app.compose import App
from tidegate.base.db import Tx
from tidegate.offer.campaign.api import Review, Waiver
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignId, CampaignVersion, VersionSummary


async def publish(
    app: App, tx: Tx, definition: CampaignDefinition, by: str, waivers: Sequence[Waiver] = (), *, reason: str = ""
) -> CampaignVersion:
    """Publish `definition` as `by`, for that reason.

    Raises the campaign's refusals for a faulty one and for one that the law stops, and stock's QuotaBelowPromise.
    Running processes pick the version up within a second or two.
    """
    version = await app.campaign.publish(tx, definition, by, waivers, reason=reason)
    await app.catalogue.put_campaign_goods(tx, definition)
    await app.stock.set_quotas(tx, definition.id, definition.quotas())
    return version


class PublicationDesk:
    """What the campaign's commands work on: each call is a transaction of its own."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def publish(
        self, definition: CampaignDefinition, by: str, waivers: Sequence[Waiver] = (), *, reason: str = ""
    ) -> CampaignVersion:
        """Publish everywhere, in one transaction, for that reason."""
        async with self._app.db.transaction() as tx:
            return await publish(self._app, tx, definition, by, waivers, reason=reason)

    async def review(self, definition: CampaignDefinition) -> Review:
        """Return what the law and the lowest prices say of a definition; nothing is published."""
        async with self._app.db.read() as tx:
            return await self._app.law.review(tx, definition)

    async def publish_within(
        self, tx: Tx, definition: CampaignDefinition, by: str, waivers: Sequence[Waiver], *, reason: str
    ) -> CampaignVersion:
        """Publish everywhere in a transaction of the caller's."""
        return await publish(self._app, tx, definition, by, waivers, reason=reason)

    async def version(self, campaign_id: CampaignId | None, number: int | None) -> CampaignVersion:
        """Return a version; without an id the current campaign's. Raises CampaignUnknown, NoCampaign."""
        async with self._app.db.read() as tx:
            return await self._app.campaign.version(tx, campaign_id or self._app.pricing.rules.campaign_id, number)

    async def versions(self, campaign_id: CampaignId) -> list[VersionSummary]:
        """Return the history of a campaign, newest first."""
        async with self._app.db.read() as tx:
            return await self._app.campaign.versions(tx, campaign_id)
