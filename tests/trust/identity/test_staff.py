"""Staff: sign-in, lockout, sessions, roles, and the record of looks at personal data."""

import asyncio
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from tests.trust.identity.conftest import CLIENT
from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.ids import Ids
from tidegate.trust.identity.api import Identity, build_identity
from tidegate.trust.identity.contracts import AccountId, Role, Session, Staff, StaffSession
from tidegate.trust.identity.errors import (
    AccountUnknown,
    NotPermitted,
    PasswordTooWeak,
    PurposeNotStated,
    StaffLocked,
    StaffNameTaken,
    StaffNotSignedIn,
    StaffSignInRefused,
    StaffUnknown,
    TooManyTries,
)

NAME = "lin.wei"
PASSWORD = "three boats at the quay"


@pytest.fixture
async def support(identity: Identity, db: Database) -> Staff:
    """A member of staff who serves shoppers."""
    async with db.transaction() as tx:
        return await identity.add_staff(tx, NAME, Role.SUPPORT, PASSWORD)


async def test_name_and_password_open_a_session_of_eight_hours(
    identity: Identity, support: Staff, db: Database, clock: ManualClock
) -> None:
    session = await identity.staff_sign_in(" Lin.Wei ", PASSWORD, CLIENT)
    assert session.staff == support
    assert session.expires_at == clock.now() + timedelta(hours=8)
    async with db.transaction() as tx:
        assert await identity.staff(tx, session.token) == support
        assert await identity.require_staff(tx, session.token) == support
        clock.advance(seconds=8 * 3600)
        assert await identity.staff(tx, session.token) is None
        with pytest.raises(StaffNotSignedIn):
            await identity.require_staff(tx, session.token)


async def test_the_password_is_kept_as_argon2id(support: Staff, db: Database) -> None:
    async with db.read() as tx:
        [(kept,)] = await (await tx.execute("select password_hash from identity.staff")).fetchall()
    assert kept.startswith("$argon2id$v=19$")
    assert PASSWORD not in kept


async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(identity: Identity, support: Staff) -> None:
    details = []
    for name, password in ((NAME, "three boats at the key"), ("nobody", PASSWORD)):
        with pytest.raises(StaffSignInRefused) as refusal:
            await identity.staff_sign_in(name, password, CLIENT)
        details.append(refusal.value.detail)
    assert details[0] == details[1]


async def test_the_fifth_wrong_password_locks_and_the_right_one_waits(
    identity: Identity, support: Staff, clock: ManualClock
) -> None:
    for _ in range(5):
        with pytest.raises(StaffSignInRefused):
            await identity.staff_sign_in(NAME, "wrong", CLIENT)
    with pytest.raises(StaffLocked) as refusal:
        await identity.staff_sign_in(NAME, PASSWORD, CLIENT)
    assert refusal.value.fields["retry_after"] == 60
    clock.advance(seconds=60)
    with pytest.raises(StaffSignInRefused):
        await identity.staff_sign_in(NAME, "wrong", CLIENT)
    clock.advance(seconds=119)
    with pytest.raises(StaffLocked):
        await identity.staff_sign_in(NAME, PASSWORD, CLIENT)
    clock.advance(seconds=1)
    assert (await identity.staff_sign_in(NAME, PASSWORD, CLIENT)).staff == support
    with pytest.raises(StaffSignInRefused):
        await identity.staff_sign_in(NAME, "wrong", CLIENT)
    assert (await identity.staff_sign_in(NAME, PASSWORD, CLIENT)).staff == support


async def test_parallel_guesses_gain_nothing(identity: Identity, support: Staff) -> None:
    guesses = [identity.staff_sign_in(NAME, f"guess {n}", CLIENT) for n in range(12)]
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(each, StaffSignInRefused) for each in answers) == 5
    assert sum(isinstance(each, StaffLocked) for each in answers) == 7


async def test_tries_of_a_network_have_a_limit(identity: Identity, support: Staff, cache: Cache) -> None:
    await identity.staff_sign_in(NAME, PASSWORD, CLIENT)
    [name] = await cache.client.keys("identity:frequency:staff:*")
    await cache.client.set(name, 100)
    with pytest.raises(TooManyTries):
        await identity.staff_sign_in(NAME, PASSWORD, CLIENT)
    await identity.staff_sign_in(NAME, PASSWORD, "203.0.113.10")


async def test_with_valkey_down_staff_sign_in_and_the_lock_still_holds(
    config: Config, support: Staff, db: Database, clock: ManualClock, ids: Ids
) -> None:
    down = Cache("valkey://127.0.0.1:1", timeout_seconds=0.2)
    identity = build_identity(config, db=db, cache=down, clock=clock, ids=ids)
    assert (await identity.staff_sign_in(NAME, PASSWORD, CLIENT)).staff == support
    for _ in range(5):
        with pytest.raises(StaffSignInRefused):
            await identity.staff_sign_in(NAME, "wrong", CLIENT)
    with pytest.raises(StaffLocked):
        await identity.staff_sign_in(NAME, PASSWORD, CLIENT)
    await down.close()


async def test_signing_out_ends_the_session_everywhere_at_once(
    identity: Identity, support: Staff, db: Database
) -> None:
    kept = await identity.staff_sign_in(NAME, PASSWORD, CLIENT)
    ended = await identity.staff_sign_in(NAME, PASSWORD, CLIENT)
    async with db.transaction() as tx:
        await identity.staff_sign_out(tx, ended.token)
        await identity.staff_sign_out(tx, "no token")
        await identity.staff_sign_out(tx, None)
        assert await identity.staff(tx, ended.token) is None
        assert await identity.staff(tx, kept.token) == support


async def test_a_shoppers_token_is_not_a_staff_token_nor_the_other_way(
    identity: Identity, session: Session, support: Staff, db: Database
) -> None:
    staff_session = await identity.staff_sign_in(NAME, PASSWORD, CLIENT)
    assert identity.session(staff_session.token) is None
    async with db.transaction() as tx:
        assert await identity.staff(tx, session.token) is None


async def test_a_new_password_ends_sessions_and_the_lock(identity: Identity, support: Staff, db: Database) -> None:
    session = await identity.staff_sign_in(NAME, PASSWORD, CLIENT)
    for _ in range(5):
        with pytest.raises(StaffSignInRefused):
            await identity.staff_sign_in(NAME, "wrong", CLIENT)
    async with db.transaction() as tx:
        await identity.set_staff_password(tx, NAME, "four boats at the quay")
        assert await identity.staff(tx, session.token) is None
        with pytest.raises(PasswordTooWeak):
            await identity.set_staff_password(tx, NAME, "short")
        with pytest.raises(StaffUnknown):
            await identity.set_staff_password(tx, "nobody", "four boats at the quay")
    assert (await identity.staff_sign_in(NAME, "four boats at the quay", CLIENT)).staff == support


async def test_a_closed_member_is_out_for_good(identity: Identity, support: Staff, db: Database) -> None:
    session = await identity.staff_sign_in(NAME, PASSWORD, CLIENT)
    async with db.transaction() as tx:
        await identity.close_staff(tx, NAME)
        assert await identity.staff(tx, session.token) is None
        with pytest.raises(StaffUnknown):
            await identity.close_staff(tx, NAME)
        [view] = await identity.all_staff(tx)
    assert view.closed_at is not None
    with pytest.raises(StaffSignInRefused):
        await identity.staff_sign_in(NAME, PASSWORD, CLIENT)


async def test_a_member_closed_while_the_password_is_checked_gets_no_session(
    identity: Identity, support: Staff, db: Database
) -> None:
    async def close() -> None:
        await asyncio.sleep(0.005)
        async with db.transaction() as tx:
            await identity.close_staff(tx, NAME)

    answer, _ = await asyncio.gather(identity.staff_sign_in(NAME, PASSWORD, CLIENT), close(), return_exceptions=True)
    if isinstance(answer, StaffSession):
        async with db.transaction() as tx:
            assert await identity.staff(tx, answer.token) is None
    else:
        assert isinstance(answer, StaffSignInRefused)


async def test_a_name_is_taken_once(identity: Identity, support: Staff, db: Database) -> None:
    async with db.transaction() as tx:
        with pytest.raises(StaffNameTaken):
            await identity.add_staff(tx, "LIN.WEI", Role.ADMINISTRATOR, PASSWORD)
        assert [each.staff for each in await identity.all_staff(tx)] == [support]


async def test_a_look_is_recorded_with_the_number_that_was_seen(
    identity: Identity, session: Session, support: Staff, db: Database, clock: ManualClock
) -> None:
    async with db.transaction() as tx:
        number = await identity.phone_for(tx, support, session.account_id, "the parcel came back")
        await identity.record_view(tx, support, "order:1", "asks for a refund")
    assert number == "+8613800131234"
    async with db.transaction() as tx:
        seen = await identity.views(tx)
        assert [(each.staff_name, each.subject, each.purpose, each.viewed_at) for each in seen] == [
            (NAME, "order:1", "asks for a refund", clock.now()),
            (NAME, f"account:{session.account_id}", "the parcel came back", clock.now()),
        ]
        assert [each.subject for each in await identity.views(tx, subject="order:1")] == ["order:1"]


async def test_without_the_right_or_a_purpose_nothing_is_shown_or_recorded(
    identity: Identity, session: Session, support: Staff, db: Database
) -> None:
    async with db.transaction() as tx:
        director = await identity.add_staff(tx, "chen.yu", Role.DIRECTOR, PASSWORD)
        with pytest.raises(NotPermitted):
            await identity.phone_for(tx, director, session.account_id, "curious")
        with pytest.raises(PurposeNotStated):
            await identity.phone_for(tx, support, session.account_id, " ")
        assert await identity.views(tx) == []


async def test_an_unknown_account_is_said_to_be_one(identity: Identity, support: Staff, db: Database) -> None:
    async with db.transaction() as tx:
        with pytest.raises(AccountUnknown):
            await identity.phone_for(tx, support, AccountId(UUID(int=1)), "the parcel came back")


@pytest.mark.parametrize(
    "change",
    [
        "update identity.personal_data_view set purpose = 'nothing at all'",
        "delete from identity.personal_data_view",
        "truncate identity.personal_data_view",
    ],
)
async def test_the_record_of_looks_only_grows(identity: Identity, support: Staff, db: Database, change: str) -> None:
    async with db.transaction() as tx:
        await identity.record_view(tx, support, "order:1", "asks for a refund")
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="only grows"):
        async with db.transaction() as tx:
            await tx.execute(change)
    async with db.transaction() as tx:
        assert len(await identity.views(tx)) == 1
