"""Segments: changed by numbers, found by account, counted, and every change on a record that only grows."""

import asyncio
from contextlib import suppress

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trust.identity.conftest import PHONE, signed_in
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.contracts import ListHow, SegmentChange, SegmentCount, Standing
from tidegate.trust.identity.errors import MembersFaulty
from tidegate.trust.identity.segments import read_numbers

LIN, CHEN, WU = "+8613800131234", "+8613900131234", "+8613700131234"
WHY = "regulars of the tea shelf"


async def change(
    identity: Identity, db: Database, phones: list[str], how: ListHow = ListHow.REPLACE, name: str = "tea"
) -> SegmentChange:
    async with db.transaction() as tx:
        return await identity.change_segment(tx, name, phones, by="lin.wei", reason=WHY, how=how)


async def test_numbers_are_added_taken_out_or_set_and_found_by_account(identity: Identity, db: Database) -> None:
    lin = await signed_in(identity, PHONE)
    first = await change(identity, db, [LIN, CHEN, LIN])
    assert (first.numbers, first.added, first.ended) == (2, 2, 0)
    await change(identity, db, [LIN], name="pots")
    async with db.read() as tx:
        assert (await identity.standings_of(tx, [lin.account_id]))[lin.account_id].segments == {"tea", "pots"}
        assert await identity.segment_counts(tx) == [SegmentCount("pots", 1, 1), SegmentCount("tea", 2, 1)]
        assert await identity.segment_holders(tx, "tea") == [lin.account_id]
    added = await change(identity, db, [CHEN, WU], ListHow.ADD)
    assert (added.numbers, added.added, added.ended) == (2, 1, 0)
    gone = await change(identity, db, [LIN, WU], ListHow.REMOVE)
    assert (gone.numbers, gone.added, gone.ended) == (2, 0, 2)
    chen = await signed_in(identity, "139 0013 1234")
    async with db.read() as tx:
        assert await identity.standings_of(tx, [lin.account_id, chen.account_id]) == {
            lin.account_id: Standing(segments=frozenset({"pots"})),
            chen.account_id: Standing(segments=frozenset({"tea"})),
        }
    ended = await change(identity, db, [], name="pots")
    assert (ended.added, ended.ended) == (0, 1)


async def test_every_change_is_on_record_and_stays_there(identity: Identity, db: Database) -> None:
    made = [await change(identity, db, [LIN]), await change(identity, db, [CHEN], ListHow.ADD, "pots")]
    async with db.read() as tx:
        assert await identity.segment_changes(tx) == made[::-1]
        assert await identity.segment_changes(tx, "tea") == made[:1]
    assert (made[0].changed_by, made[0].reason, made[0].how) == ("lin.wei", WHY, ListHow.REPLACE)
    for act in ("update {} set reason = 'none'", "delete from {}", "truncate {}"):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            async with db.transaction() as tx:
                await tx.execute(act.format("identity.segment_change"))


@pytest.mark.parametrize(("name", "reason"), [("Tea!", WHY), ("", WHY), ("tea", " "), ("tea", "x" * 201)])
async def test_a_change_needs_a_name_and_a_reason(identity: Identity, db: Database, name: str, reason: str) -> None:
    with pytest.raises(Refusal):
        async with db.transaction() as tx:
            await identity.change_segment(tx, name, [LIN], by="lin.wei", reason=reason)
    async with db.read() as tx:
        assert await identity.segment_counts(tx) == []
        assert await identity.segment_changes(tx) == []


async def test_changes_at_once_count_what_they_changed(identity: Identity, db: Database) -> None:
    phones = [f"+86138001312{place:02}" for place in range(20)]
    hows = [ListHow.ADD, ListHow.REMOVE, ListHow.REPLACE] * 4
    made = await asyncio.gather(
        *(change(identity, db, phones[place : place + 9], how) for place, how in enumerate(hows))
    )
    async with db.read() as tx:
        [held] = await identity.segment_counts(tx) or [SegmentCount("tea", 0, 0)]
    assert held.numbers == sum(each.added - each.ended for each in made)


def test_numbers_are_read_from_a_file_or_a_field() -> None:
    assert read_numbers("\ufeffphone,tier\n13800131234,gold\n") == [LIN]
    assert read_numbers("138 0013 1234，+8613900131234\n\n13800131234") == [LIN, CHEN]
    assert read_numbers(" \n") == []
    with pytest.raises(MembersFaulty) as refused:
        read_numbers("13800131234\n12;13")
    assert refused.value.fields["faults"] == [
        'line 2: "12" is not a mobile number that exists',
        'line 2: "13" is not a mobile number that exists',
    ]


@given(st.text(max_size=200))
def test_any_text_is_numbers_or_a_refusal(text: str) -> None:
    with suppress(MembersFaulty):
        assert all(number.startswith("+86") for number in read_numbers(text))
