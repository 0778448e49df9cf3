"""Shoppers sign in: codes, their life, tries and limits, and the account that the first sign-in makes."""

import asyncio
from datetime import timedelta

import pytest

from tests.trust.identity.conftest import CLIENT, PHONE, signed_in
from tidegate.base.cache import Cache
from tidegate.base.clock import ManualClock
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.ids import Ids
from tidegate.trust.identity.api import Identity, build_identity
from tidegate.trust.identity.contracts import Session
from tidegate.trust.identity.errors import (
    CodeNotValid,
    CodeTooSoon,
    PhoneNotValid,
    SmsNotSent,
    TooManyCodes,
    TooManyTries,
)
from tidegate.trust.identity.ports import Sms

SECRET = b"a secret of the tests, long enough"


async def count(db: Database, table: str) -> int:
    async with db.read() as tx:
        row = await (await tx.execute(f"select count(*) from identity.{table}")).fetchone()
    assert row is not None
    return int(row[0])


class PressedSms:
    """A gateway of these tests: keeps what it was given, and refuses when told to."""

    is_sandbox = True

    def __init__(self) -> None:
        self.messages: list[Sms] = []
        self.broken = False

    async def send(self, sms: Sms) -> None:
        if self.broken:
            raise SmsNotSent("The gateway is out of order; the code was not sent.")
        self.messages.append(sms)

    async def last_code(self, phone: str) -> str | None:
        return next((each.code for each in reversed(self.messages) if each.phone == phone), None)

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def sms() -> PressedSms:
    return PressedSms()


def identity_with(sms: PressedSms, db: Database, cache: Cache, clock: ManualClock, ids: Ids) -> Identity:
    return Identity(db=db, cache=cache, clock=clock, ids=ids, secret=SECRET, sms=sms, new_code=lambda: "402913")


async def test_the_first_sign_in_makes_the_account_and_the_next_finds_it(
    identity: Identity, clock: ManualClock, db: Database
) -> None:
    first = await signed_in(identity)
    clock.advance(seconds=61)
    second = await signed_in(identity, "+86 138-0013-1234")
    assert second.account_id == first.account_id
    assert second.session_id != first.session_id
    assert second.expires_at == clock.now() + timedelta(days=30)
    assert await count(db, "account") == 1


async def test_the_answer_masks_the_number_and_names_the_times(identity: Identity, clock: ManualClock) -> None:
    sent = await identity.request_code(PHONE, CLIENT)
    assert sent.phone == "138****1234"
    assert sent.expires_at == clock.now() + timedelta(minutes=5)
    assert sent.resend_at == clock.now() + timedelta(minutes=1)


async def test_neither_number_nor_code_stands_in_the_database(identity: Identity, db: Database) -> None:
    await identity.request_code(PHONE, CLIENT)
    code = await identity.sandbox_code(PHONE)
    assert code is not None
    await identity.sign_in(PHONE, code, "Tests/1.0", CLIENT)
    async with db.read() as tx:
        rows = [
            str(await (await tx.execute("select * from identity.code")).fetchall()),
            str(await (await tx.execute("select * from identity.account")).fetchall()),
        ]
    assert "13800131234" not in "".join(rows)
    assert code not in rows[0]


async def test_a_wrong_code_counts_and_the_sixth_try_fails_even_if_right(identity: Identity, db: Database) -> None:
    await identity.request_code(PHONE, CLIENT)
    code = await identity.sandbox_code(PHONE)
    assert code is not None
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(CodeNotValid) as refusal:
            await identity.sign_in(PHONE, wrong, "", CLIENT)
        assert refusal.value.fields == {"tries_left": left}
    with pytest.raises(CodeNotValid, match="used up or too old"):
        await identity.sign_in(PHONE, code, "", CLIENT)
    assert await count(db, "session") == 0
    assert await count(db, "account") == 0


async def test_a_code_opens_one_session(identity: Identity, db: Database) -> None:
    await identity.request_code(PHONE, CLIENT)
    code = await identity.sandbox_code(PHONE)
    assert code is not None
    await identity.sign_in(PHONE, code, "", CLIENT)
    with pytest.raises(CodeNotValid):
        await identity.sign_in(PHONE, code, "", CLIENT)
    assert await count(db, "session") == 1


async def test_of_ten_sign_ins_at_once_with_one_code_one_wins(identity: Identity, db: Database) -> None:
    await identity.request_code(PHONE, CLIENT)
    code = await identity.sandbox_code(PHONE)
    assert code is not None
    tries = [identity.sign_in(PHONE, code, "", CLIENT) for _ in range(10)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, Session) for each in answers) == 1
    assert sum(isinstance(each, CodeNotValid) for each in answers) == 9
    assert await count(db, "session") == 1
    assert await count(db, "account") == 1


async def test_guesses_at_once_get_five_tries_in_all(identity: Identity, db: Database) -> None:
    await identity.request_code(PHONE, CLIENT)
    code = await identity.sandbox_code(PHONE)
    assert code is not None
    wrong = [f"{(int(code) + 1 + n) % 1_000_000:06d}" for n in range(12)]
    answers = await asyncio.gather(
        *(identity.sign_in(PHONE, each, "", CLIENT) for each in wrong), return_exceptions=True
    )
    assert sum(isinstance(each, CodeNotValid) and "not right" in each.detail for each in answers) == 5
    async with db.read() as tx:
        assert await (await tx.execute("select tries from identity.code")).fetchall() == [(5,)]


async def test_a_code_lives_five_minutes(identity: Identity, clock: ManualClock) -> None:
    await identity.request_code(PHONE, CLIENT)
    code = await identity.sandbox_code(PHONE)
    assert code is not None
    clock.advance(seconds=300)
    assert await identity.sandbox_code(PHONE) is None
    with pytest.raises(CodeNotValid):
        await identity.sign_in(PHONE, code, "", CLIENT)


async def test_only_the_newest_code_counts(
    db: Database, cache: Cache, clock: ManualClock, ids: Ids, sms: PressedSms
) -> None:
    codes = iter(["111111", "222222"])
    identity = Identity(db=db, cache=cache, clock=clock, ids=ids, secret=SECRET, sms=sms, new_code=lambda: next(codes))
    await identity.request_code(PHONE, CLIENT)
    clock.advance(seconds=60)
    await identity.request_code(PHONE, CLIENT)
    with pytest.raises(CodeNotValid):
        await identity.sign_in(PHONE, "111111", "", CLIENT)
    assert (await identity.sign_in(PHONE, "222222", "", CLIENT)).token


async def test_a_code_is_for_its_own_phone(identity: Identity) -> None:
    await identity.request_code(PHONE, CLIENT)
    code = await identity.sandbox_code(PHONE)
    assert code is not None
    with pytest.raises(CodeNotValid):
        await identity.sign_in("13900139000", code, "", CLIENT)


async def test_a_second_code_within_a_minute_is_refused_and_sends_nothing(
    db: Database, cache: Cache, clock: ManualClock, ids: Ids, sms: PressedSms
) -> None:
    identity = identity_with(sms, db, cache, clock, ids)
    await identity.request_code(PHONE, CLIENT)
    clock.advance(seconds=59)
    with pytest.raises(CodeTooSoon):
        await identity.request_code(PHONE, CLIENT)
    assert len(sms.messages) == 1
    assert await count(db, "code") == 1


async def test_of_ten_requests_at_once_one_sends(
    db: Database, cache: Cache, clock: ManualClock, ids: Ids, sms: PressedSms
) -> None:
    identity = identity_with(sms, db, cache, clock, ids)
    answers = await asyncio.gather(*(identity.request_code(PHONE, CLIENT) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(each, CodeTooSoon) for each in answers) == 9
    assert len(sms.messages) == 1


async def test_a_phone_gets_five_codes_an_hour(
    db: Database, cache: Cache, clock: ManualClock, ids: Ids, sms: PressedSms
) -> None:
    identity = identity_with(sms, db, cache, clock, ids)
    for _ in range(5):
        await identity.request_code(PHONE, CLIENT)
        clock.advance(seconds=60)
    with pytest.raises(TooManyCodes):
        await identity.request_code(PHONE, CLIENT)
    assert len(sms.messages) == 5


async def test_a_code_that_could_not_be_sent_can_be_asked_for_again_at_once(
    db: Database, cache: Cache, clock: ManualClock, ids: Ids, sms: PressedSms
) -> None:
    identity = identity_with(sms, db, cache, clock, ids)
    sms.broken = True
    with pytest.raises(SmsNotSent):
        await identity.request_code(PHONE, CLIENT)
    sms.broken = False
    await identity.request_code(PHONE, CLIENT)
    async with db.read() as tx:
        rows = await (await tx.execute("select delivery from identity.code order by code_id")).fetchall()
    assert rows == [("failed",), ("sent",)]
    assert (await identity.sign_in(PHONE, "402913", "", CLIENT)).token


async def test_what_is_no_number_records_nothing(identity: Identity, db: Database) -> None:
    with pytest.raises(PhoneNotValid):
        await identity.request_code("12", CLIENT)
    assert await count(db, "code") == 0


async def test_a_network_has_a_limit_in_valkey(identity: Identity, cache: Cache, clock: ManualClock) -> None:
    await identity.request_code(PHONE, CLIENT)
    [name] = await cache.client.keys("identity:frequency:codes:*")
    await cache.client.set(name, 200)
    with pytest.raises(TooManyCodes, match="your network") as refusal:
        await identity.request_code("13900139000", CLIENT)
    assert refusal.value.fields == {"retry_after": 3600}
    await identity.request_code("13900139000", "203.0.113.10")
    clock.advance(seconds=3600)
    await identity.request_code("13900139000", CLIENT)


async def test_tries_of_a_network_have_a_limit_in_valkey(identity: Identity, cache: Cache) -> None:
    with pytest.raises(CodeNotValid):
        await identity.sign_in(PHONE, "000000", "", CLIENT)
    [name] = await cache.client.keys("identity:frequency:tries:*")
    await cache.client.set(name, 600)
    with pytest.raises(TooManyTries):
        await identity.sign_in(PHONE, "000000", "", CLIENT)


async def test_with_valkey_down_postgresql_holds_the_limits(
    db: Database, clock: ManualClock, ids: Ids, sms: PressedSms
) -> None:
    down = Cache("valkey://127.0.0.1:1", timeout_seconds=0.2)
    identity = identity_with(sms, db, down, clock, ids)
    await identity.request_code(PHONE, CLIENT)
    with pytest.raises(CodeTooSoon):
        await identity.request_code(PHONE, CLIENT)
    async with db.transaction() as tx:
        await tx.execute(
            """
            insert into identity.code (code_id, phone_index, client_index, code_hash, requested_at, expires_at)
            select uuidv7(), sha256(n::text::bytea), client_index, code_hash, requested_at, expires_at
              from identity.code, generate_series(1, 199) as n
            """
        )
    with pytest.raises(TooManyCodes, match="your network"):
        await identity.request_code("13900139000", CLIENT)
    assert (await identity.sign_in(PHONE, "402913", "", CLIENT)).token
    await down.close()


async def test_with_valkey_down_the_sandbox_says_that_nothing_was_sent(
    config: Config, db: Database, clock: ManualClock, ids: Ids
) -> None:
    down = Cache("valkey://127.0.0.1:1", timeout_seconds=0.2)
    identity = build_identity(config, db=db, cache=down, clock=clock, ids=ids)
    with pytest.raises(SmsNotSent):
        await identity.request_code(PHONE, CLIENT)
    assert await identity.sandbox_code(PHONE) is None
    await down.close()
