"""Members: imported by number, found by account, and every fault of a file named by its line."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from tests.trust.identity.conftest import PHONE, signed_in
from tests.trust.identity.test_commands import Terminal
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.errors import Refusal
from tidegate.trust.identity.api import Identity
from tidegate.trust.identity.commands import members_group
from tidegate.trust.identity.contracts import ListHow, Member, Standing, TierChange
from tidegate.trust.identity.errors import MembersFaulty
from tidegate.trust.identity.members import read_members

LIN, CHEN, WU = "+8613800131234", "+8613900131234", "+8613700131234"
WHY = "spent 5,000 within the year"


async def change(
    identity: Identity, db: Database, tier: str, phones: list[str], how: ListHow = ListHow.ADD, reason: str = WHY
) -> TierChange:
    async with db.transaction() as tx:
        return await identity.change_tier(tx, tier, phones, by="lin.wei", reason=reason, how=how)


def test_a_file_says_who_is_a_member() -> None:
    text = "\ufeffphone, tier\n138 0013 1234,gold\n+8613900131234,\n13800131234,gold\n"
    assert read_members(text) == [Member(phone=LIN, tier="gold"), Member(phone=CHEN, tier="member")]
    assert read_members("phone\n13800131234\n") == [Member(phone=LIN, tier="member")]
    assert read_members("phone,tier\n") == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "The first line must name the columns"),
        ("number,tier\n1,2\n", "The first line must name the columns"),
        ("phone,tier\n12,gold\n", 'line 2: "12" is not a mobile number that exists'),
        ("phone,tier\n13800131234,Gold!\n", 'line 2: "Gold!" is not a tier'),
        ("phone,tier\n13800131234,gold,7\n", "line 2: it has not as many values"),
        ("phone,tier\n13800131234\n", ""),
        ("phone,tier\n13800131234,gold\n13800131234,silver\n", "line 3: the number stands here before"),
    ],
)
def test_each_fault_is_named_by_its_line(text: str, fault: str) -> None:
    if not fault:
        assert read_members(text) == [Member(phone=LIN, tier="member")]
        return
    with pytest.raises(MembersFaulty) as refused:
        read_members(text)
    assert fault in refused.value.detail
    assert "Nothing was changed" in refused.value.detail


async def test_members_are_found_by_account_also_when_they_sign_in_later(identity: Identity, db: Database) -> None:
    async with db.transaction() as tx:
        await identity.import_members(
            tx, [Member(phone=LIN, tier="gold"), Member(phone=CHEN, tier="member")], by="lin.wei", reason=WHY
        )
    lin = await signed_in(identity, PHONE)
    other = await signed_in(identity, "137 0013 1234")
    async with db.transaction() as tx:
        assert await identity.standings_of(tx, [lin.account_id, other.account_id]) == {
            lin.account_id: Standing("gold"),
            other.account_id: Standing(),
        }
        assert await identity.end_membership(tx, PHONE, by="lin.wei", reason=WHY)
        assert not await identity.end_membership(tx, PHONE, by="lin.wei", reason=WHY)
        assert await identity.standings_of(tx, [lin.account_id]) == {lin.account_id: Standing()}
        ended = (await identity.tier_changes(tx))[0]
        assert (ended.tier, ended.how, ended.numbers, ended.ended) == ("gold", ListHow.REMOVE, 1, 1)


async def test_an_import_is_on_the_record_tier_by_tier(identity: Identity, db: Database) -> None:
    async def imported(*, replace: bool = False, **tiers: str) -> list[tuple[str, int, int, int, int]]:
        phones = {"lin": LIN, "chen": CHEN, "wu": WU}
        async with db.transaction() as tx:
            members = [Member(phone=phones[name], tier=tier) for name, tier in tiers.items()]
            done = await identity.import_members(tx, members, by="lin.wei", reason=WHY, replace=replace)
            newest = await identity.tier_changes(tx, len(done)) if done else []
        assert sorted(newest, key=lambda each: each.tier) == done
        assert {(each.changed_by, each.reason) for each in done} <= {("lin.wei", WHY)}
        return [(each.tier, each.numbers, each.added, each.moved, each.ended) for each in done]

    assert await imported(lin="gold", chen="member") == [("gold", 1, 1, 0, 0), ("member", 1, 1, 0, 0)]
    assert await imported(lin="gold", wu="gold") == [("gold", 2, 1, 0, 0)]
    # Lin comes from gold and is not ended there; Wu is, and member, which nobody names any more, loses Chen.
    assert await imported(replace=True, lin="silver") == [
        ("gold", 0, 0, 0, 1),
        ("member", 0, 0, 0, 1),
        ("silver", 1, 0, 1, 0),
    ]
    async with db.read() as tx:
        assert await identity.member_counts(tx) == {"silver": 1}
    assert await imported(replace=True) == [("silver", 0, 0, 0, 1)]
    assert await imported(replace=True) == []


def test_the_commands_tell_what_they_did(config: Config, tmp_path: Path) -> None:
    terminal, file = Terminal(config), tmp_path / "members.csv"

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(members_group, list(arguments), obj=terminal.opened)
        return done.exit_code, done.output

    assert run("count") == (0, "Nobody yet. Add them with: tidegate members import FILE --by NAME --reason TEXT\n")
    file.write_text("phone\n13800131234\n")
    told = ("--by", "lin.wei", "--reason", "regulars of the tea shelf")
    code, said = run("segment", "tea", str(file), *told)
    assert (code, "Nothing was changed" in said) == (1, True)
    assert terminal.run("add", "lin.wei", "--role", "campaign-manager", "--generate").exit_code == 0
    assert run("segment", "tea", str(file), *told) == (0, "Segment tea: 1 numbers new, 0 no longer in it.\n")
    assert run("segment", "tea", str(file))[0] == 2
    file.write_text("phone,tier\n13800131234,gold\n13900131234,\n", encoding="utf-8")
    assert run("import", str(file), *told) == (0, "Members: 2 new, 0 in another tier, 0 as before.\n")
    code, said = run("import", str(file), "--by", "nobody", "--reason", "none")
    assert (code, "Nothing was changed" in said) == (1, True)
    file.write_text("phone,tier\n13800131234,gold\n1390013123,gold\n", encoding="utf-8")
    code, said = run("import", str(file), *told)
    assert (code, "line 3" in said, "Nothing was changed" in said) == (1, True, True)
    file.write_bytes(b"phone\n\xff\n")
    assert run("import", str(file), *told)[0] == 1
    file.write_text("phone,tier\n13800131234,gold\n", encoding="utf-8")
    assert "1 are no members any more." in run("import", str(file), "--replace", *told)[1]
    assert "gold" in run("count")[1]
    assert run("remove", "13800131234", *told) == (0, "No member any more.\n")
    assert "nothing was changed" in run("remove", "13800131234", *told)[1]
    assert run("remove", "13800131234")[0] == 2


async def test_a_number_moves_from_tier_to_tier_and_each_change_counts_what_it_did(
    identity: Identity, db: Database
) -> None:
    first = await change(identity, db, "silver", [LIN, CHEN, "138 0013 1234"])
    assert (first.numbers, first.added, first.moved, first.ended) == (2, 2, 0, 0)
    gold = await change(identity, db, "gold", [LIN, WU])
    assert (gold.numbers, gold.added, gold.moved, gold.ended) == (2, 1, 1, 0)
    lin = await signed_in(identity, PHONE)
    async with db.read() as tx:
        assert (await identity.standings_of(tx, [lin.account_id]))[lin.account_id].tier == "gold"
        assert await identity.member_counts(tx) == {"gold": 2, "silver": 1}
    elsewhere = await change(identity, db, "silver", [LIN], ListHow.REMOVE)
    assert (elsewhere.numbers, elsewhere.ended) == (1, 0)
    exactly = await change(identity, db, "gold", [LIN, CHEN], ListHow.REPLACE)
    assert (exactly.added, exactly.moved, exactly.ended) == (0, 1, 1)
    ended = await change(identity, db, "gold", [LIN], ListHow.REMOVE)
    assert (ended.added, ended.moved, ended.ended) == (0, 0, 1)
    async with db.read() as tx:
        assert await identity.member_counts(tx) == {"gold": 1}
        assert await identity.tier_changes(tx) == [ended, exactly, elsewhere, gold, first]
        assert await identity.tier_changes(tx, 2) == [ended, exactly]


async def test_the_record_of_tiers_only_grows(identity: Identity, db: Database) -> None:
    await change(identity, db, "gold", [LIN])
    for act in ("update {} set reason = 'none'", "delete from {}", "truncate {}"):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            async with db.transaction() as tx:
                await tx.execute(act.format("identity.tier_change"))


@pytest.mark.parametrize(("tier", "reason"), [("Gold!", WHY), ("", WHY), ("gold", " "), ("gold", "x" * 201)])
async def test_a_change_of_a_tier_needs_a_name_and_a_reason(
    identity: Identity, db: Database, tier: str, reason: str
) -> None:
    with pytest.raises(Refusal):
        await change(identity, db, tier, [LIN], reason=reason)
    async with db.read() as tx:
        assert await identity.member_counts(tx) == {}
        assert await identity.tier_changes(tx) == []


async def test_changes_of_tiers_at_once_count_what_they_changed(identity: Identity, db: Database) -> None:
    phones = [f"+86138001312{place:02}" for place in range(20)]
    hows = [ListHow.ADD, ListHow.REMOVE, ListHow.REPLACE] * 4
    made = await asyncio.gather(
        *(
            change(identity, db, ("gold", "silver")[place % 2], phones[place : place + 9], how)
            for place, how in enumerate(hows)
        )
    )
    async with db.read() as tx:
        held = sum((await identity.member_counts(tx)).values())
    assert held == sum(each.added - each.ended for each in made)
    assert any(each.moved for each in made)
