"""Drafts on the real database: every save is kept, nobody's work is overwritten, what they say is read like files."""

import asyncio

import psycopg
import pytest

from tests.offer.campaign.test_definition import NOW, TEMPLATE
from tests.offer.festivals import definition, offer
from tidegate.base.clock import ManualClock
from tidegate.base.db import Database
from tidegate.offer.campaign.api import Campaign, first_draft, read_draft, write_definition
from tidegate.offer.campaign.contracts import CampaignId
from tidegate.offer.campaign.draft_contracts import DRAFT_BYTES_MAX, CampaignFiles, Draft
from tidegate.offer.campaign.errors import DefinitionFaulty, DraftChanged, DraftTooLarge

OF = CampaignId("double-11")
FILES = write_definition(definition([offer("KTL-1")]))
OTHER = CampaignFiles(campaign="[campaign", goods="", offers="")


async def saved(db: Database, campaign: Campaign, files: CampaignFiles, after: int, by: str = "Lin Yue") -> Draft:
    async with db.transaction() as tx:
        return await campaign.drafts.save(tx, OF, files, after=after, based_on=0, by=by)


async def test_a_draft_is_kept_with_its_faults_and_found_again(
    db: Database, campaign: Campaign, clock: ManualClock
) -> None:
    async with db.read() as tx:
        assert await campaign.drafts.draft(tx, OF) is None
    first = await saved(db, campaign, OTHER, after=0)
    assert (first.revision, first.saved_by, first.saved_at) == (1, "Lin Yue", clock.now())
    second = await saved(db, campaign, FILES, after=1)
    async with db.read() as tx:
        assert await campaign.drafts.draft(tx, OF) == second
        assert await campaign.drafts.draft(tx, OF, 1) == first
        assert await campaign.drafts.draft(tx, CampaignId("other")) is None
        assert [each.revision for each in await campaign.drafts.revisions(tx, OF)] == [2, 1]
    assert second.files == FILES


async def test_the_same_text_again_is_the_same_revision(db: Database, campaign: Campaign) -> None:
    first = await saved(db, campaign, FILES, after=0)
    assert await saved(db, campaign, FILES, after=1, by="Zhou Heng") == first


async def test_who_saves_after_somebody_else_is_told_and_overwrites_nothing(db: Database, campaign: Campaign) -> None:
    first = await saved(db, campaign, FILES, after=0)
    with pytest.raises(DraftChanged) as refused:
        await saved(db, campaign, OTHER, after=0, by="Zhou Heng")
    assert refused.value.fields == {"revision": 1, "saved_by": "Lin Yue"}
    assert "Nothing was saved and nothing overwritten" in refused.value.detail
    async with db.read() as tx:
        assert await campaign.drafts.draft(tx, OF) == first


async def test_of_those_who_save_at_once_one_is_kept_and_all_others_are_told(db: Database, campaign: Campaign) -> None:
    texts = [CampaignFiles(campaign=f"# {number}", goods="", offers="") for number in range(8)]
    found = await asyncio.gather(*(saved(db, campaign, text, after=0) for text in texts), return_exceptions=True)
    kept = [each for each in found if isinstance(each, Draft)]
    assert len(kept) == 1
    assert sum(isinstance(each, DraftChanged) for each in found) == 7
    async with db.read() as tx:
        assert await campaign.drafts.draft(tx, OF) == kept[0]
        checks = {each.name: each.holds for each in await campaign.check(tx)}
    assert checks["campaign drafts without gaps"]


async def test_a_draft_has_a_largest_size(db: Database, campaign: Campaign) -> None:
    largest = CampaignFiles(campaign="#" * (DRAFT_BYTES_MAX - 6), goods="满", offers="减")
    assert (await saved(db, campaign, largest, after=0)).revision == 1
    larger = CampaignFiles(campaign=largest.campaign, goods="满减", offers="减")
    with pytest.raises(DraftTooLarge):
        await saved(db, campaign, larger, after=1)


@pytest.mark.parametrize("statement", ["update campaign.draft set goods_text = ''", "delete from campaign.draft"])
async def test_what_was_saved_is_never_changed(db: Database, campaign: Campaign, statement: str) -> None:
    await saved(db, campaign, FILES, after=0)
    with pytest.raises(psycopg.errors.RestrictViolation):
        async with db.transaction() as tx:
            await tx.execute(statement)


def test_a_draft_is_read_like_the_files_it_will_be() -> None:
    assert read_draft(OF, FILES, NOW) == definition([offer("KTL-1")])
    with pytest.raises(DefinitionFaulty) as refused:
        read_draft(CampaignId("other"), FILES, NOW)
    assert [str(each) for each in refused.value.faults] == [
        'festival.toml:2: campaign.id: "double-11" is another campaign; this draft is of "other"'
    ]
    elsewhere = CampaignFiles(campaign=FILES.campaign.replace("goods.csv", "/etc/passwd"), goods="", offers="")
    with pytest.raises(DefinitionFaulty) as refused:
        read_draft(OF, elsewhere, NOW)
    assert '"/etc/passwd" cannot be read: a draft has goods.csv and offers.csv' in str(refused.value.faults[0])


def test_a_new_campaign_begins_from_the_template_without_faults() -> None:
    files = first_draft(CampaignId("mid-year"))
    assert read_draft(CampaignId("mid-year"), files, NOW).id == "mid-year"
    assert files.goods == TEMPLATE["goods.csv"]


async def test_why_a_version_was_published_is_kept(db: Database, campaign: Campaign) -> None:
    async with db.transaction() as tx:
        await campaign.publish(tx, definition([offer("KTL-1")]), "Lin Yue", reason="Opening prices")
        await campaign.publish(tx, definition([offer("KTL-1", 7_000)]), "Lin Yue")
    async with db.read() as tx:
        versions = await campaign.versions(tx, OF)
    assert [each.reason for each in versions] == ["", "Opening prices"]
