"""Simulated shoppers: thousands in one statement, ready to order, and nobody can sign in to them."""

from datetime import timedelta

import pytest

from tidegate.base.clock import ManualClock
from tidegate.base.db import Database
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.errors import PhoneNotValid


async def test_simulated_shoppers_are_signed_in_and_have_an_address(
    identity: Identity, db: Database, clock: ManualClock
) -> None:
    async with db.transaction() as tx:
        first = await identity.open_rehearsal_accounts(tx, 3000)
        second = await identity.open_rehearsal_accounts(tx, 2)
        kinds = await (await tx.execute("select kind, count(*) from identity.account group by kind")).fetchall()
        last = second[-1]
        view = await identity.account(tx, last.session.account_id)
        [saved] = await identity.addresses(tx, last.session.account_id)
        pairs = [(each.session.account_id, each.address_id) for each in first + second]
        foreign = await identity.foreign_addresses(tx, pairs)
    assert kinds == [("rehearsal", 3002)]
    assert view.phone == "+99****3002"
    assert (saved.address_id, saved.address.city) == (last.address_id, "演练市")
    assert not foreign
    for each in first + second:
        facts = identity.session(each.session.token)
        assert facts is not None
        assert (facts.account_id, facts.session_id) == (each.session.account_id, each.session.session_id)
        assert facts.expires_at == clock.now() + timedelta(days=1)


async def test_those_who_are_named_are_members(identity: Identity, db: Database) -> None:
    async with db.transaction() as tx:
        opened = await identity.open_rehearsal_accounts(tx, 5, members=[1, 4])
        standings = await identity.standings_of(tx, [each.session.account_id for each in opened])
    assert [standings[each.session.account_id].tier for each in opened] == ["", "member", "", "", "member"]


async def test_nobody_gets_a_code_for_a_simulated_number(identity: Identity, db: Database) -> None:
    async with db.transaction() as tx:
        await identity.open_rehearsal_accounts(tx, 1)
    with pytest.raises(PhoneNotValid):
        await identity.request_code("+999000000000001", "")


async def test_the_invariants_hold_for_them(identity: Identity, db: Database) -> None:
    async with db.transaction() as tx:
        await identity.open_rehearsal_accounts(tx, 10)
        assert [each.holds for each in await identity.check(tx)] == [True] * 4


@pytest.mark.parametrize("number", [0, -1, 100_001])
async def test_the_bulk_has_a_limit(identity: Identity, db: Database, number: int) -> None:
    async with db.transaction() as tx:
        with pytest.raises(ValueError, match="at once"):
            await identity.open_rehearsal_accounts(tx, number)
