"""Members: who they are is set by staff or an import, by phone number. Its use cases are part of `api.Identity`."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tidegate.base.db import Tx
from tidegate.trust.identity import member_store, rules
from tidegate.trust.identity.contracts import AccountId, ListHow, Member, Standing, TierChange
from tidegate.trust.identity.errors import MembersFaulty, PhoneNotValid
from tidegate.trust.identity.ground import Ground

MEMBERS_MAX = 1_000_000
CHANGES_MAX = 200
DEFAULT_TIER = "member"
_TIER = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_FAULTS_SHOWN = 20
_UNKNOWN = Standing()


class _Act(NamedTuple):
    """Who changes tiers, why and when."""

    by: str
    reason: str
    at: datetime


class Members(Ground):
    """Who is a member, and in which tier."""

    async def import_members(
        self, tx: Tx, members: Sequence[Member], *, by: str, reason: str, replace: bool = False
    ) -> list[TierChange]:
        """Set the tiers of these members; with `replace` everybody else's membership ends.

        Recorded with who and why: a change for each tier that is named, or that somebody is no more in. Numbers that
        nobody signed in with yet are kept: they are members from their first sign-in on. Raises PurposeNotStated.
        """
        act = _Act(by, rules.require_purpose(reason), self._clock.now())
        named: dict[str, list[bytes]] = defaultdict(list)
        for index, tier in {self._seals.index("phone", each.phone): each.tier for each in members}.items():
            named[tier].append(index)
        await member_store.lock(tx)
        # All are put first: who comes from another tier must not be ended there before.
        put = {tier: await member_store.put(tx, dict.fromkeys(named[tier], tier), act.at) for tier in named}
        how = ListHow.REPLACE if replace else ListHow.ADD
        changes = []
        for tier in sorted({*named, *(await member_store.counts(tx) if replace else ())}):
            indexes = named.get(tier, [])
            ended = await member_store.delete_others_of_tier(tx, tier, indexes) if replace else 0
            if indexes or ended:
                added, moved = put.get(tier, (0, 0))
                changes.append(await self._record(tx, act, tier, how, len(indexes), added, moved, ended))
        return changes

    async def end_membership(self, tx: Tx, phone: str, *, by: str, reason: str) -> TierChange | None:
        """End one membership, recorded with who and why; None where there was none, and nothing is recorded.

        Raises PhoneNotValid and PurposeNotStated.
        """
        index = self._seals.index("phone", rules.mobile_number(phone))
        act = _Act(by, rules.require_purpose(reason), self._clock.now())
        await member_store.lock(tx)
        tier = await member_store.delete(tx, index)
        return await self._record(tx, act, tier, ListHow.REMOVE, 1, 0, 0, 1) if tier else None

    async def change_tier(
        self, tx: Tx, tier: str, phones: Sequence[str], *, by: str, reason: str, how: ListHow
    ) -> TierChange:
        """Put numbers into a tier, whatever tier they were in; end memberships in it; or let it be exactly these.

        Recorded with who and why. Numbers that nobody signed in with yet are kept, as with an import. Raises
        MembersFaulty for a name that is none, PhoneNotValid and PurposeNotStated.
        """
        if not _TIER.fullmatch(tier):
            raise MembersFaulty(f'"{tier}" is not a tier; write small letters, digits and dashes. Nothing was changed.')
        indexes = sorted({self._seals.index("phone", rules.mobile_number(phone)) for phone in phones})
        act = _Act(by, rules.require_purpose(reason), self._clock.now())
        await member_store.lock(tx)
        added = moved = ended = 0
        if how is ListHow.REPLACE:
            ended = await member_store.delete_others_of_tier(tx, tier, indexes)
        if how is ListHow.REMOVE:
            ended = await member_store.delete_of_tier(tx, tier, indexes)
        else:
            added, moved = await member_store.put(tx, dict.fromkeys(indexes, tier), act.at)
        return await self._record(tx, act, tier, how, len(indexes), added, moved, ended)

    async def _record(
        self, tx: Tx, act: "_Act", tier: str, how: ListHow, numbers: int, added: int, moved: int, ended: int
    ) -> TierChange:
        change = TierChange(
            change_id=self._ids.new(),
            tier=tier,
            how=how,
            numbers=numbers,
            added=added,
            moved=moved,
            ended=ended,
            changed_by=act.by,
            reason=act.reason,
            changed_at=act.at,
        )
        await member_store.insert_change(tx, change)
        return change

    async def tier_changes(self, tx: Tx, limit: int = 50) -> list[TierChange]:
        """Return the newest changes of tiers by staff, at most 200."""
        return await member_store.changes(tx, min(limit, CHANGES_MAX))

    async def standings_of(self, tx: Tx, account_ids: Collection[AccountId]) -> Mapping[AccountId, Standing]:
        """Return the standing of each of the accounts; one statement."""
        found = await member_store.standings(tx, account_ids)
        return {each: found.get(each, _UNKNOWN) for each in account_ids}

    async def member_counts(self, tx: Tx) -> Mapping[str, int]:
        """Return how many members each tier has."""
        return await member_store.counts(tx)


def read_members(text: str) -> list[Member]:
    """Return the members of a CSV file with the columns `phone` and, optionally, `tier` (default `member`).

    A number that stands twice with one tier counts once. Raises MembersFaulty, which names what is wrong by its line.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    columns = [name.strip() for name in rows.fieldnames or ()]
    if not {"phone"} <= set(columns) <= {"phone", "tier"}:
        raise MembersFaulty("The first line must name the columns: phone, or phone,tier. Nothing was changed.")
    rows.fieldnames = columns
    found: dict[str, str] = {}
    faults: list[str] = []
    for row in rows:
        member = _member(row)
        if isinstance(member, Member) and found.setdefault(member.phone, member.tier) != member.tier:
            member = f"the number stands here before with the tier {found[member.phone]}"
        if isinstance(member, str):
            faults.append(f"line {rows.line_num}: {member}")
    if len(found) > MEMBERS_MAX:
        faults.append(f"there are {len(found):,} members; the most at once is {MEMBERS_MAX:,}")
    if faults:
        raise faulty(faults)
    return [Member(phone=phone, tier=tier) for phone, tier in found.items()]


def faulty(faults: Sequence[str]) -> MembersFaulty:
    """The refusal that names the first of these faults."""
    more = f"\n... and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
    return MembersFaulty("Nothing was changed.\n" + "\n".join(faults[:_FAULTS_SHOWN]) + more, faults=faults)


def _member(row: Mapping[str | None, str | list[str] | None]) -> Member | str:
    """Return what one line says, or what is wrong with it."""
    phone, tier = row.get("phone"), row.get("tier") or DEFAULT_TIER
    if None in row or not isinstance(phone, str) or not isinstance(tier, str):
        return "it has not as many values as the first line has columns"
    if not _TIER.fullmatch(tier.strip()):
        return f'"{tier}" is not a tier; write small letters, digits and dashes'
    try:
        return Member(phone=rules.mobile_number(phone), tier=tier.strip())
    except PhoneNotValid:
        return f'"{phone}" is not a mobile number that exists'
