"""Before a place is given: marks, stamps and networks decide lane and rates everywhere, and an undo takes back."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gate.bots.test_work import PERSON, shopper
from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.ids import Ids
from tidegate.base.jobs import Jobs
from tidegate.base.metrics import exposition
from tidegate.gate.bots import jobs as bots_jobs
from tidegate.gate.bots import rules
from tidegate.gate.bots.api import KEPT, NETWORKS_FILE, Bots
from tidegate.gate.bots.contracts import HONEYPOTS, Evidence, Lane, PageSignals
from tidegate.gate.bots.invariants import follows
from tidegate.gate.bots.stamps import SHOWN_MS_MAX, Stamps
from tidegate.trust.identity.contracts import SessionFacts, SessionId, StaffId

ADDRESS = "198.51.100.7"


@pytest.fixture
def bots(config: Config, cache: Cache, clock: ManualClock, ids: Ids) -> Bots:
    (config.data_dir / NETWORKS_FILE).write_text("203.0.113.0/24\n")
    return Bots(config, cache, clock, ids)


@pytest.fixture
def other(config: Config, cache: Cache, clock: ManualClock, ids: Ids) -> Bots:
    """Another process of the same installation."""
    return Bots(config, cache, clock, ids)


def again(session: SessionFacts) -> SessionFacts:
    """The same account, signed in anew."""
    return msgspec.structs.replace(session, session_id=SessionId(uuid4()))


def evidence(points: object) -> list[Evidence]:
    return [reason.evidence for reason in getattr(points, "reasons", ())]


async def test_a_session_without_a_page_speaks_for_nothing(bots: Bots, clock: ManualClock) -> None:
    decision = await bots.weigh(shopper(clock), ADDRESS)
    assert (decision.score.points, decision.lane, decision.rate_factor) == (0, Lane.NORMAL, 1.0)
    assert (decision.signals.shown_ms, decision.signals.fingerprint) == (None, None)


@pytest.mark.parametrize("honeypot", HONEYPOTS)
async def test_a_mark_stays_with_the_account_however_often_it_signs_in(
    bots: Bots, other: Bots, clock: ManualClock, honeypot: Evidence
) -> None:
    session = shopper(clock)
    await bots.touched(honeypot, ADDRESS, session)
    decision = await other.weigh(again(session), ADDRESS)
    assert evidence(decision.score) == [honeypot]
    assert (await other.weigh(shopper(clock), ADDRESS)).score.reasons == ()


async def test_a_mark_stays_with_the_device_whichever_account_uses_it(bots: Bots, clock: ManualClock) -> None:
    await bots.challenge(shopper(clock), msgspec.structs.replace(PERSON, website="x"), ADDRESS)
    friend = shopper(clock)
    await bots.challenge(friend, PERSON, ADDRESS)
    assert evidence((await bots.weigh(friend, ADDRESS)).score) == [Evidence.HONEYPOT_FIELD]


async def test_a_network_is_marked_by_many_touches_and_slows_nobody_alone(bots: Bots, clock: ManualClock) -> None:
    for number in range(rules.NETWORK_MARKS_MIN):
        assert (await bots.weigh(shopper(clock), ADDRESS)).score.reasons == ()
        await bots.touched(Evidence.HONEYPOT_LINK, f"198.51.100.{number}")
    neighbour = await bots.weigh(shopper(clock), ADDRESS)
    assert evidence(neighbour.score) == [Evidence.MARKED_NETWORK]
    assert (neighbour.lane, neighbour.work_factor, neighbour.rate_factor) == (Lane.NORMAL, 1, 1.0)
    assert (await bots.weigh(shopper(clock), "198.51.101.7")).score.reasons == ()
    assert (await bots.weigh(shopper(clock), "127.0.0.1")).score.reasons == ()


async def test_valkey_holds_no_address_and_no_fingerprint(bots: Bots, cache: Cache, clock: ManualClock) -> None:
    session = shopper(clock)
    await bots.challenge(session, msgspec.structs.replace(PERSON, website="x"), ADDRESS)
    keys = [key.decode() for key in await cache.client.keys("*")]
    dumped = [await cache.client.dump(key) or b"" for key in keys]
    assert keys
    for secret in ("198.51.100", "c63364", PERSON.fingerprint):
        assert not any(secret in key for key in keys)
        assert not any(secret.encode() in value for value in dumped)
    lives = [await cache.client.ttl(key) for key in keys]
    assert all(0 < seconds <= 86_400 for seconds in lives)


async def test_the_time_to_pass_is_measured_not_claimed(bots: Bots, clock: ManualClock) -> None:
    session = shopper(clock)
    page = PageSignals(page=bots.stamp(session), shown_ms=60_000)
    clock.advance(seconds=0.3)
    hasty = await bots.weigh(session, ADDRESS, page=page)
    assert (evidence(hasty.score), hasty.signals.shown_ms) == ([Evidence.TOO_FAST], 300)
    clock.advance(seconds=2)
    assert (await bots.weigh(session, ADDRESS, page=page)).signals.shown_ms == 2_300
    stolen = await bots.weigh(shopper(clock), ADDRESS, page=PageSignals(page=page.page))
    assert evidence(stolen.score) == [Evidence.TOO_FAST]


async def test_a_program_that_names_itself_is_seen_by_its_header(bots: Bots, clock: ManualClock) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/143.0.0.0 Safari/537"
    assert evidence((await bots.weigh(shopper(clock), ADDRESS, agent)).score) == [Evidence.HEADLESS]
    assert (await bots.weigh(shopper(clock), ADDRESS, agent.replace("Headless", ""))).score.reasons == ()


async def test_what_the_last_challenge_saw_counts_for_the_place(bots: Bots, other: Bots, clock: ManualClock) -> None:
    session = shopper(clock)
    await bots.challenge(session, msgspec.structs.replace(PERSON, automation=True, headless=True), "203.0.113.9")
    decision = await other.weigh(session, "203.0.113.9")
    assert evidence(decision.score) == [Evidence.AUTOMATION, Evidence.DATACENTER, Evidence.HEADLESS]
    assert (decision.lane, decision.rate_factor) == (Lane.SLOW, 0.25)


async def test_rates_are_lowered_in_every_process_for_an_hour(bots: Bots, other: Bots, clock: ManualClock) -> None:
    session = shopper(clock)
    await bots.touched(Evidence.HONEYPOT_GOODS, ADDRESS, session)
    assert bots.rate_factor(session.account_id) == 1.0
    await bots.weigh(session, ADDRESS)
    assert (bots.rate_factor(session.account_id), other.rate_factor(session.account_id)) == (0.5, 1.0)
    await other.follow()
    assert (other.rate_factor(session.account_id), other.rate_factor(uuid4()), other.rate_factor(None)) == (0.5, 1, 1)
    clock.advance(seconds=3_601)
    await other.follow()
    assert (bots.rate_factor(session.account_id), other.rate_factor(session.account_id)) == (1.0, 1.0)


async def test_an_undo_gives_lane_and_rates_back_to_everybody_on_the_device(
    bots: Bots, other: Bots, db: Database, clock: ManualClock
) -> None:
    family = [shopper(clock) for _ in range(2)]
    for session in family:
        await bots.challenge(session, msgspec.structs.replace(PERSON, website="x"), ADDRESS)
    async with db.transaction() as tx:
        await bots.flush(tx)
        found = (await bots.examples(tx))[0]
        await bots.undo(tx, StaffId(uuid4()), found.decision_id, "a family", clock.now() + timedelta(hours=1))
    async with db.read() as tx:
        await other.refresh(tx)
    await other.follow()
    assert other.cleared() == {session.account_id for session in family}
    for session in family:
        assert other.rate_factor(session.account_id) == 1.0
    decision = await other.weigh(again(_of(family, found.account_id)), ADDRESS)
    assert (decision.undone, decision.lane, evidence(decision.score)) == (True, Lane.NORMAL, [Evidence.HONEYPOT_FIELD])


def _of(family: list[SessionFacts], account_id: object) -> SessionFacts:
    return next(each for each in family if each.account_id == account_id)


async def test_without_valkey_nobody_is_refused_and_nothing_is_remembered(
    config: Config, clock: ManualClock, ids: Ids
) -> None:
    gone = Cache("unix:///nowhere/valkey.sock", timeout_seconds=0.2)
    bots, session = Bots(config, gone, clock, ids), shopper(clock)
    await bots.touched(Evidence.HONEYPOT_GOODS, ADDRESS, session)
    await bots.follow()
    assert (await bots.weigh(session, ADDRESS)).score.points == 0
    filled = await bots.weigh(session, ADDRESS, page=PageSignals(website="x", page=bots.stamp(session)))
    assert evidence(filled.score) == [Evidence.HONEYPOT_FIELD, Evidence.TOO_FAST]
    await gone.close()


async def test_the_list_of_networks_is_followed_and_a_faulty_one_changes_nothing(
    bots: Bots, config: Config, clock: ManualClock, ids: Ids, cache: Cache
) -> None:
    async def listed(address: str) -> bool:
        return (await bots.weigh(shopper(clock), address)).signals.datacenter

    file = config.data_dir / NETWORKS_FILE
    assert [await listed("203.0.113.9"), await listed("192.0.2.1")] == [True, False]
    file.write_text("192.0.2.0/24  # rented\n\n2001:db8::/32\n")
    await bots.follow()
    assert [await listed("203.0.113.9"), await listed("192.0.2.1"), await listed("2001:db8::1")] == [False, True, True]
    file.write_text("198.51.100.0/24\n198.51.100.1/24\n")
    await bots.follow()
    assert [await listed("192.0.2.1"), await listed("198.51.100.9")] == [True, False]
    with pytest.raises(ValueError, match=r"line 2: .*host bits set; write a network like"):
        Bots(config, cache, clock, ids)
    file.unlink()
    await bots.follow()
    assert not await listed("192.0.2.1")


async def test_bots_counts_marks_decisions_and_undos(bots: Bots, db: Database, clock: ManualClock) -> None:
    before = _counted()
    session = shopper(clock)
    await bots.touched(Evidence.HONEYPOT_GOODS, ADDRESS, session)
    await bots.weigh(session, ADDRESS)
    await bots.weigh(shopper(clock), ADDRESS)
    async with db.transaction() as tx:
        await bots.flush(tx)
        [found] = [each for each in await bots.examples(tx) if each.score.points]
        await bots.undo(tx, StaffId(uuid4()), found.decision_id, "a test", clock.now() + timedelta(hours=1))
    after = _counted()
    for line in (
        'tidegate_bot_marks_total{honeypot="honeypot-goods"}',
        'tidegate_bot_decisions_total{effect="slow-lane"}',
        'tidegate_bot_decisions_total{effect="nothing"}',
        "tidegate_bot_undos_total",
    ):
        assert after[line] == before.get(line, 0.0) + 1


def _counted() -> dict[str, float]:
    lines = [line for line in exposition().decode().splitlines() if line.startswith("tidegate_bot")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


async def test_the_check_finds_a_decision_that_does_not_follow(bots: Bots, db: Database, clock: ManualClock) -> None:
    await bots.weigh(shopper(clock), ADDRESS)
    decision = await bots.weigh(shopper(clock), "203.0.113.1")
    async with db.transaction() as tx:
        await bots.flush(tx)
        assert [check.holds for check in await bots.check(tx)] == [True] * 3
        assert [check.examined for check in await bots.check(tx)] == [2, 2, 0]
        await tx.execute("alter table bots.decision disable trigger decision_stays")
        await tx.execute(
            "update bots.decision set body = jsonb_set(body, '{lane}', '\"slow\"') where decision_id = %s",
            [decision.decision_id],
        )
        [first, *rest] = await bots.check(tx)
    assert (first.holds, first.detail) == (False, str(decision.decision_id))
    assert all(check.holds for check in rest)
    assert follows(decision)
    assert follows(msgspec.structs.replace(decision, rules=1, lane=Lane.SLOW))


async def test_the_nightly_job_deletes_what_is_old(
    bots: Bots, db: Database, database_url: str, clock: ManualClock
) -> None:
    await bots.weigh(shopper(clock), ADDRESS)
    async with db.transaction() as tx:
        await bots.flush(tx)
    clock.advance(seconds=KEPT.total_seconds() + 60)
    jobs = Jobs(database_url)
    bots_jobs.schedule(jobs, db, bots)
    async with db.transaction() as tx:
        await jobs.defer(tx, bots_jobs.TIDY_TASK, timestamp=0)
    working = asyncio.create_task(jobs.run())
    async with asyncio.timeout(20):
        while await _rows(db):
            await asyncio.sleep(0.02)
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working


async def _rows(db: Database) -> int:
    async with db.read() as tx:
        rows = await tx.execute("select (select count(*) from bots.decision) + (select count(*) from bots.tally)")
        row = await rows.fetchone()
    assert row is not None
    return int(row[0])


@given(st.text(max_size=220) | st.binary(max_size=60).map(bytes.hex), st.integers(0, 10**9))
def test_no_invented_text_is_a_stamp_and_a_stamp_is_its_session_s_only(text: str, elapsed_ms: int) -> None:
    stamps, session, shown_at = Stamps(b"k" * 32), uuid4(), datetime(2026, 11, 11, tzinfo=UTC)
    given_stamp = stamps.stamp(session, shown_at)
    later = shown_at + timedelta(milliseconds=elapsed_ms)
    assert stamps.shown_ms(session, text, later) is None
    assert stamps.shown_ms(uuid4(), given_stamp, later) is None
    assert Stamps(b"o" * 32).shown_ms(session, given_stamp, later) is None
    assert stamps.shown_ms(session, given_stamp, later) == min(elapsed_ms, SHOWN_MS_MAX)
    assert stamps.shown_ms(session, given_stamp, shown_at - timedelta(hours=1)) == 0
