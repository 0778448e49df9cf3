"""Drafts: a campaign as it is being written, saved revision by revision, read like the files it will be."""

from datetime import datetime
from importlib.resources import files as package_files

from tidegate.base.clock import Clock
from tidegate.base.db import Tx
from tidegate.offer.campaign import draft_store
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignId, Fault
from tidegate.offer.campaign.definition import read_definition
from tidegate.offer.campaign.draft_contracts import (
    CAMPAIGN_FILE,
    DRAFT_BYTES_MAX,
    GOODS_FILE,
    OFFERS_FILE,
    CampaignFiles,
    Draft,
    RevisionSummary,
)
from tidegate.offer.campaign.errors import DefinitionFaulty, DraftChanged, DraftTooLarge
from tidegate.offer.campaign.positions import line_of, lines_of

REVISIONS_MAX = 100


class Drafts:
    """One draft a campaign, shared by all who write it; its last revision is the one to go on from."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def draft(self, tx: Tx, campaign_id: CampaignId, revision: int | None = None) -> Draft | None:
        """The last revision, or that one; None if there is none."""
        return await draft_store.draft(tx, campaign_id, revision)

    async def revisions(self, tx: Tx, campaign_id: CampaignId, limit: int = 20) -> list[RevisionSummary]:
        """What was saved, newest first."""
        return await draft_store.revisions(tx, campaign_id, min(limit, REVISIONS_MAX))

    async def save(
        self, tx: Tx, campaign_id: CampaignId, files: CampaignFiles, *, after: int, based_on: int, by: str
    ) -> Draft:
        """Keep the texts as the revision after revision `after` (0 = as the first one).

        Raises DraftChanged when another one was saved after it, and DraftTooLarge; the texts need not be free of
        faults.
        """
        if files.bytes > DRAFT_BYTES_MAX:
            raise DraftTooLarge(
                f"The texts have {files.bytes} bytes; a draft has at most {DRAFT_BYTES_MAX}. Nothing was saved; keep "
                "the campaign as files and publish it with `tidegate campaign publish`.",
                bytes=files.bytes,
            )
        last = await draft_store.draft(tx, campaign_id, None)
        if last is not None and last.files == files and last.based_on == based_on and last.revision == after:
            return last
        kept = Draft(
            campaign_id=campaign_id,
            revision=after + 1,
            files=files,
            based_on=based_on,
            saved_at=self._clock.now(),
            saved_by=by,
        )
        if (last.revision if last else 0) != after or not await draft_store.add_draft(tx, kept):
            raise _changed(after, await draft_store.draft(tx, campaign_id, None))
        return kept


def _changed(after: int, newest: Draft | None) -> DraftChanged:
    if newest is None:
        return DraftChanged(f"This draft has no revision {after}. Nothing was saved; open it anew.", revision=0)
    return DraftChanged(
        f"{newest.saved_by} saved revision {newest.revision} of this draft after you began from revision {after}. "
        "Nothing was saved and nothing overwritten; look at theirs, then save yours after it.",
        revision=newest.revision,
        saved_by=newest.saved_by,
    )


def read_draft(campaign_id: CampaignId, files: CampaignFiles, now: datetime) -> CampaignDefinition:
    """The definition that the texts of a draft describe. Raises DefinitionFaulty with every fault in them."""
    beside = {GOODS_FILE: files.goods, OFFERS_FILE: files.offers}

    def open_file(name: str) -> str:
        if name not in beside:
            raise FileNotFoundError(2, f"a draft has {GOODS_FILE} and {OFFERS_FILE}")
        return beside[name]

    definition = read_definition(files.campaign, file=CAMPAIGN_FILE, open_file=open_file, now=now)
    if definition.id != campaign_id:
        path = ("campaign", "id")
        message = f'"{definition.id}" is another campaign; this draft is of "{campaign_id}"'
        line = line_of(lines_of(files.campaign), path)
        raise DefinitionFaulty([Fault(path=path, message=message, file=CAMPAIGN_FILE, line=line)])
    return definition


def first_draft(campaign_id: CampaignId) -> CampaignFiles:
    """What a campaign that does not exist yet begins from: the template of `tidegate campaign init`, with its id."""
    folder = package_files("tidegate.offer.campaign") / "template"
    campaign, goods, offers = (
        (folder / name).read_text(encoding="utf-8") for name in (CAMPAIGN_FILE, GOODS_FILE, OFFERS_FILE)
    )
    return CampaignFiles(campaign=campaign.replace('"spring-sale"', f'"{campaign_id}"', 1), goods=goods, offers=offers)
