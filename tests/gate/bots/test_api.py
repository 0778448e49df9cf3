"""Decisions: honeypots count, floods write little, a record can be replayed, an undo restores until it ends."""

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest

from tests.gate.bots.test_work import PERSON, shopper
from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.ids import Ids
from tidegate.gate.bots.api import EXAMPLES_PER_COUNT, KEPT, NETWORKS_FILE, Bots
from tidegate.gate.bots.contracts import Decision, Evidence, Lane
from tidegate.gate.bots.errors import DecisionUnknown
from tidegate.trust.identity.contracts import AccountId, StaffId

TRAPPED = msgspec.structs.replace(PERSON, website="http://bot.example")


@pytest.fixture
def bots(config: Config, cache: Cache, clock: ManualClock, ids: Ids) -> Bots:
    (config.data_dir / NETWORKS_FILE).write_text("# one network\n203.0.113.0/24\n")
    return Bots(config, cache, clock, ids)


async def written(bots: Bots, db: Database) -> list[Decision]:
    async with db.transaction() as tx:
        await bots.flush(tx)
        return await bots.examples(tx)


async def test_a_person_takes_the_normal_lane(bots: Bots, db: Database, clock: ManualClock) -> None:
    challenge = await bots.challenge(shopper(clock), PERSON, "198.51.100.1")
    assert challenge.lane is Lane.NORMAL
    [decision] = await written(bots, db)
    assert (decision.score.points, decision.work_factor, decision.undone) == (0, 1, False)
    assert "a browser" not in str(msgspec.to_builtins(decision))


@pytest.mark.parametrize("honeypot", [Evidence.HONEYPOT_LINK, Evidence.HONEYPOT_GOODS])
async def test_a_touched_honeypot_counts_with_the_next_visit_of_that_session_only(
    bots: Bots, db: Database, clock: ManualClock, honeypot: Evidence
) -> None:
    session = shopper(clock)
    await bots.touched(honeypot, "", session)
    await bots.challenge(session, PERSON, "")
    clock.advance(seconds=1)
    await bots.challenge(shopper(clock), PERSON, "")
    innocent, trapped = await written(bots, db)
    assert [reason.evidence for reason in trapped.score.reasons] == [honeypot]
    assert innocent.score.reasons == ()


async def test_field_network_and_shared_device_are_seen(bots: Bots, db: Database, clock: ManualClock) -> None:
    for number in range(4):
        clock.advance(seconds=60)
        # Chosen accounts: Valkey's estimate takes four drawn at random for three once in 2,700 times.
        account = msgspec.structs.replace(shopper(clock), account_id=AccountId(UUID(int=number)))
        await bots.challenge(account, TRAPPED, "203.0.113.9")
    newest = (await written(bots, db))[0]
    seen = newest.signals
    assert (seen.honeypot_field, seen.datacenter, seen.device_accounts) == (True, True, 4)
    assert newest.lane is Lane.SLOW


async def test_a_flood_writes_a_few_rows_and_the_right_count(bots: Bots, db: Database, clock: ManualClock) -> None:
    signals = (await _one(bots, db, clock)).signals
    for _ in range(5_000):
        bots.decide(shopper(clock), "", signals)
    decisions = await written(bots, db)
    async with db.read() as tx:
        [tally] = await bots.overview(tx, clock.now() - timedelta(minutes=1))
    assert (tally.kind, tally.lane, tally.visits) == ("honeypot-field", Lane.SLOW, 5_001)
    assert len(decisions) == EXAMPLES_PER_COUNT


async def test_an_undo_stands_for_account_and_device_until_it_ends(
    bots: Bots, db: Database, clock: ManualClock
) -> None:
    decision = await _one(bots, db, clock)
    same = shopper(clock)
    async with db.transaction() as tx:
        undo = await bots.undo(
            tx,
            StaffId(uuid4()),
            decision.decision_id,
            "a screen reader filled the field",
            clock.now() + timedelta(hours=1),
        )
        await bots.refresh(tx)
        view = await bots.decision(tx, decision.decision_id)
    assert (view.undo, view.agrees, view.replayed) == (undo, True, decision.score)
    cleared = bots.decide(same, decision.device, decision.signals)
    assert (cleared.lane, cleared.work_factor, cleared.undone) == (Lane.NORMAL, 1, True)
    assert cleared.score == decision.score
    assert bots.decide(same, "another device", decision.signals).lane is Lane.SLOW
    clock.advance(seconds=3_600)
    assert bots.decide(same, decision.device, decision.signals).lane is Lane.SLOW


async def test_records_are_only_added_and_go_after_their_time(bots: Bots, db: Database, clock: ManualClock) -> None:
    decision = await _one(bots, db, clock)
    with pytest.raises(psycopg.errors.RaiseException):
        async with db.transaction() as tx:
            await tx.execute("update bots.decision set kind = 'none'")
    clock.advance(seconds=KEPT.total_seconds() + 60)
    async with db.transaction() as tx:
        assert await bots.tidy(tx) == 2
        with pytest.raises(DecisionUnknown):
            await bots.decision(tx, decision.decision_id)


async def _one(bots: Bots, db: Database, clock: ManualClock) -> Decision:
    await bots.challenge(shopper(clock), TRAPPED, "")
    return (await written(bots, db))[0]
