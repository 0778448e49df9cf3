"""Sessions: known without I/O, ended by time or by hand, listed to their owner, limited in number."""

import pytest

from tests.trust.identity.conftest import signed_in
from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.ids import Ids
from tidegate.trust.identity.api import Identity, build_identity, token_of
from tidegate.trust.identity.contracts import AccountId, Session, SessionFacts
from tidegate.trust.identity.errors import NotSignedIn, SessionUnknown


@pytest.fixture
def other_process(config: Config, db: Database, cache: Cache, clock: ManualClock, ids: Ids) -> Identity:
    """Identity as another process of the installation has it."""
    return build_identity(config, db=db, cache=cache, clock=clock, ids=ids)


def facts(session: Session) -> SessionFacts:
    return SessionFacts(account_id=session.account_id, session_id=session.session_id, expires_at=session.expires_at)


async def test_every_process_knows_a_session_by_its_token(
    identity: Identity, other_process: Identity, session: Session
) -> None:
    assert identity.session(session.token) == facts(session)
    assert other_process.session(session.token) == facts(session)
    assert identity.require_session(session.token) == facts(session)


async def test_no_token_and_a_wrong_token_are_nobody(identity: Identity, session: Session) -> None:
    for token in (None, "", "x", session.token[:-1], session.token.swapcase()):
        assert identity.session(token) is None
        with pytest.raises(NotSignedIn):
            identity.require_session(token)


async def test_a_session_ends_after_thirty_days(identity: Identity, session: Session, clock: ManualClock) -> None:
    clock.advance(seconds=30 * 86_400 - 1)
    assert identity.session(session.token) is not None
    clock.advance(seconds=1)
    assert identity.session(session.token) is None


async def test_signing_out_ends_the_session_here_at_once_and_elsewhere_at_the_next_refresh(
    identity: Identity, other_process: Identity, session: Session, db: Database
) -> None:
    async with db.transaction() as tx:
        await other_process.refresh(tx)
        await identity.sign_out(tx, facts(session))
    assert identity.session(session.token) is None
    assert other_process.session(session.token) is not None
    async with db.transaction() as tx:
        await other_process.refresh(tx)
    assert other_process.session(session.token) is None
    async with db.transaction() as tx:
        await identity.sign_out(tx, facts(session))


async def test_a_process_that_starts_later_knows_what_was_revoked_before(
    identity: Identity, other_process: Identity, session: Session, db: Database, clock: ManualClock
) -> None:
    async with db.transaction() as tx:
        await identity.sign_out(tx, facts(session))
    clock.advance(seconds=29 * 86_400)
    async with db.transaction() as tx:
        await other_process.refresh(tx)
    assert other_process.session(session.token) is None


async def test_a_revocation_that_commits_late_is_not_missed(
    identity: Identity, other_process: Identity, session: Session, db: Database, clock: ManualClock
) -> None:
    async with db.transaction() as slow:
        await identity.sign_out(slow, facts(session))
        clock.advance(seconds=30)
        async with db.transaction() as tx:
            await other_process.refresh(tx)
        assert other_process.session(session.token) is not None
    async with db.transaction() as tx:
        await other_process.refresh(tx)
    assert other_process.session(session.token) is None


async def test_ended_sessions_are_forgotten_by_the_memory(
    identity: Identity, session: Session, db: Database, clock: ManualClock
) -> None:
    async with db.transaction() as tx:
        await identity.sign_out(tx, facts(session))
        clock.advance(seconds=31 * 86_400)
        await identity.refresh(tx)
    assert identity._revoked == {}
    assert identity.session(session.token) is None


async def test_a_shopper_sees_and_ends_only_own_sessions(
    identity: Identity, session: Session, db: Database, clock: ManualClock
) -> None:
    stranger = await signed_in(identity, "13900139000")
    clock.advance(seconds=61)
    phone = await signed_in(identity, device="Phone/2")
    async with db.transaction() as tx:
        assert [(each.session_id, each.device) for each in await identity.sessions(tx, session.account_id)] == [
            (phone.session_id, "Phone/2"),
            (session.session_id, "Tests/1.0"),
        ]
        with pytest.raises(SessionUnknown):
            await identity.revoke_session(tx, session.account_id, stranger.session_id)
        await identity.revoke_session(tx, session.account_id, phone.session_id)
        with pytest.raises(SessionUnknown):
            await identity.revoke_session(tx, session.account_id, phone.session_id)
        assert [each.session_id for each in await identity.sessions(tx, session.account_id)] == [session.session_id]
    assert identity.session(stranger.token) is not None
    assert identity.session(phone.token) is None


async def test_the_twenty_first_session_ends_the_oldest(identity: Identity, db: Database, clock: ManualClock) -> None:
    opened = []
    for _ in range(21):
        opened.append(await signed_in(identity))
        clock.advance(seconds=86_400 / 10 + 1)
    assert identity.session(opened[0].token) is None
    assert all(identity.session(each.token) for each in opened[1:])
    async with db.transaction() as tx:
        assert len(await identity.sessions(tx, opened[0].account_id)) == 20


async def test_me_is_masked(identity: Identity, session: Session, db: Database, clock: ManualClock) -> None:
    async with db.transaction() as tx:
        view = await identity.account(tx, session.account_id)
        with pytest.raises(NotSignedIn):
            await identity.account(tx, AccountId(session.session_id))
    assert (view.account_id, view.phone, view.opened_at) == (session.account_id, "138****1234", clock.now())


async def test_an_account_is_found_by_its_number(identity: Identity, session: Session, db: Database) -> None:
    async with db.transaction() as tx:
        assert await identity.account_of_phone(tx, "+86 138-0013-1234") == session.account_id
        assert await identity.account_of_phone(tx, "13900139000") is None
        assert await identity.account_of_phone(tx, "no number") is None


async def test_tidying_deletes_what_no_decision_needs(
    identity: Identity, session: Session, db: Database, clock: ManualClock
) -> None:
    async with db.transaction() as tx:
        assert await identity.tidy(tx) == 0
    clock.advance(seconds=2 * 86_400 + 1)
    async with db.transaction() as tx:
        assert await identity.tidy(tx) == 1
    assert identity.session(session.token) is not None
    clock.advance(seconds=60 * 86_400)
    async with db.transaction() as tx:
        assert await identity.tidy(tx) == 1
        assert await identity.tidy(tx) == 0


async def test_the_invariants_hold_and_a_breach_is_named(identity: Identity, session: Session, db: Database) -> None:
    async with db.transaction() as tx:
        checks = await identity.check(tx)
        assert [(each.holds, each.detail) for each in checks] == [(True, "")] * 4
        await tx.execute("update identity.account set phone_index = sha256('another')")
        await tx.execute("alter table identity.personal_data_view disable trigger only_grows")
        broken = {each.name: each for each in await identity.check(tx) if not each.holds}
    assert set(broken) == {"identity: sealed phones open", "identity: the records of looks and of changes only grow"}
    assert str(session.account_id) in broken["identity: sealed phones open"].detail


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ([], None),
        ([(b"authorization", b"Bearer abc")], "abc"),
        ([(b"authorization", b"bearer  abc ")], "abc"),
        ([(b"authorization", b"Basic abc")], None),
        ([(b"cookie", b"a=b; tg_session=abc; c=d")], "abc"),
        ([(b"cookie", b"a=b"), (b"cookie", b"tg_session=abc")], "abc"),
        ([(b"cookie", b"xtg_session=no;tg_session=abc")], "abc"),
        ([(b"cookie", b"tg_session=cookie"), (b"authorization", b"Bearer header")], "header"),
        ([(b"cookie", b"tg_staff=abc")], None),
    ],
)
def test_the_token_is_found_in_raw_headers(headers: list[tuple[bytes, bytes]], token: str | None) -> None:
    assert token_of(headers) == token


def test_a_staff_cookie_is_found_by_its_name() -> None:
    assert token_of([(b"cookie", b"tg_session=a; tg_staff=b")], "tg_staff") == "b"
