"""Publishing on the real database: immutable versions, one current, everything announced once."""

import asyncio

import psycopg
import pytest

from tests.offer.festivals import START, definition, offer
from tidegate.base.clock import ManualClock
from tidegate.base.db import Database
from tidegate.base.outbox import Outbox
from tidegate.offer.campaign.api import Campaign
from tidegate.offer.campaign.contracts import CampaignDefinition, CampaignId, CampaignVersion, PhaseName
from tidegate.offer.campaign.errors import CampaignUnknown, DefinitionFaulty

FIRST, SECOND = definition([offer("KTL-1", 8_000)]), definition([offer("KTL-1", 7_000)])


async def published(db: Database, campaign: Campaign, festival: CampaignDefinition) -> CampaignVersion:
    async with db.transaction() as tx:
        return await campaign.publish(tx, festival, "Lin Yue")


async def announced(db: Database) -> list[int]:
    async with db.read() as tx:
        rows = await (await tx.execute("select events -> 0 ->> 'version' from base.outbox order by id")).fetchall()
    return [int(number) for (number,) in rows]


async def test_a_published_definition_is_current_and_can_be_looked_up(
    db: Database, campaign: Campaign, clock: ManualClock
) -> None:
    async with db.transaction() as tx:
        assert not await campaign.refresh(tx)
        assert campaign.current() is None
        assert campaign.phase(clock.now()) is None
        version = await campaign.publish(tx, FIRST, "Lin Yue")
        assert await campaign.refresh(tx)
        assert not await campaign.refresh(tx)
    assert (version.version, version.published_by, version.published_at) == (1, "Lin Yue", clock.now())
    assert campaign.current() == version
    phase = campaign.phase(clock.now())
    assert phase is not None
    assert (phase.name, phase.ends_at) == (PhaseName.WARM_UP, START)
    async with db.read() as tx:
        assert await Campaign(clock, Outbox()).version(tx, CampaignId("double-11")) == version
        for number, campaign_id in ((2, "double-11"), (None, "other")):
            with pytest.raises(CampaignUnknown):
                await campaign.version(tx, CampaignId(campaign_id), number)


async def test_the_same_content_is_the_same_version(db: Database, campaign: Campaign) -> None:
    versions = [await published(db, campaign, festival) for festival in (FIRST, FIRST, SECOND, SECOND, FIRST)]
    assert [version.version for version in versions] == [1, 1, 2, 2, 1]
    assert versions[0] == versions[4]
    assert await announced(db) == [1, 2, 1]
    async with db.read() as tx:
        await campaign.refresh(tx)
        assert [(each.version, each.current) for each in await campaign.versions(tx)] == [(2, False), (1, True)]
        assert await campaign.versions(tx, CampaignId("other")) == []
        assert all(check.holds for check in await campaign.check(tx))
    assert campaign.current() == versions[0]


async def test_publishing_at_once_numbers_without_gaps(db: Database, campaign: Campaign) -> None:
    festivals = [definition([offer("KTL-1", price)]) for price in (7_000, 7_001, 7_002, 7_000, 7_001)]
    versions = await asyncio.gather(*(published(db, campaign, festival) for festival in festivals))
    assert sorted({version.version for version in versions}) == [1, 2, 3]
    assert versions[0].version == versions[3].version
    async with db.read() as tx:
        assert all(check.holds for check in await campaign.check(tx))


async def test_a_faulty_definition_changes_nothing(db: Database, campaign: Campaign) -> None:
    with pytest.raises(DefinitionFaulty) as refused:
        await published(db, campaign, definition([offer("KTL-1", 0)]))
    assert refused.value.fields == {"faults": ["offer[0].price: a price is more than nothing"]}
    assert campaign.faults(FIRST) == []
    async with db.read() as tx:
        assert await campaign.versions(tx) == []
    assert await announced(db) == []


@pytest.mark.parametrize("table", ["campaign.version", "campaign.publication"])
@pytest.mark.parametrize("change", ["update {} set published_by = 'x'", "delete from {}", "truncate {} cascade"])
async def test_what_was_published_cannot_be_changed(db: Database, campaign: Campaign, table: str, change: str) -> None:
    await published(db, campaign, FIRST)
    with pytest.raises(psycopg.errors.RestrictViolation):
        async with db.transaction() as tx:
            await tx.execute(change.format(table).encode())
    async with db.read() as tx:
        assert len(await campaign.versions(tx)) == 1


async def test_the_check_finds_a_version_that_was_tampered_with(db: Database, campaign: Campaign) -> None:
    await published(db, campaign, FIRST)
    async with db.transaction() as tx:
        assert all(check.holds for check in await campaign.check(tx)), "what was found intact once is looked at again"
        await tx.execute("alter table campaign.version disable trigger version_is_immutable")
        await tx.execute("update campaign.version set definition = jsonb_set(definition, '{offers,0,price}', '1')")
        checks = await campaign.check(tx)
    assert [(check.holds, check.detail) for check in checks] == [
        (False, "double-11 version 1"),
        (True, ""),
        (True, ""),
    ]
