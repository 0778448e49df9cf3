"""Segments: lists of numbers that campaigns speak of. Its use cases are part of `api.Identity`."""

import re
from collections.abc import Sequence

from tidegate.base.db import Tx
from tidegate.trust.identity import rules, segment_store
from tidegate.trust.identity.contracts import AccountId, ListHow, SegmentChange, SegmentCount
from tidegate.trust.identity.errors import MembersFaulty, PhoneNotValid
from tidegate.trust.identity.ground import Ground
from tidegate.trust.identity.members import faulty, read_members

CHANGES_MAX = 200
HOLDERS_MAX = 200
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_BETWEEN = re.compile(r"[,，;；、]")


class Segments(Ground):
    """Which numbers are in which segment, and who changed that."""

    async def change_segment(
        self,
        tx: Tx,
        name: str,
        phones: Sequence[str],
        *,
        by: str,
        reason: str,
        how: ListHow = ListHow.REPLACE,
    ) -> SegmentChange:
        """Add numbers to a segment, take them out of it, or let it be exactly these; recorded with who and why.

        Numbers that nobody signed in with yet are kept, as with members. A segment without numbers has ended. Changes
        of one segment wait for each other. Raises MembersFaulty for a name that is none, PhoneNotValid and
        PurposeNotStated.
        """
        if not _NAME.fullmatch(name):
            raise MembersFaulty(
                f'"{name}" is not the name of a segment; write small letters, digits and dashes. Nothing was changed.'
            )
        indexes = sorted({self._seals.index("phone", rules.mobile_number(phone)) for phone in phones})
        reason = rules.require_purpose(reason)
        await segment_store.lock(tx, name)
        added, ended = await _changed(tx, name, indexes, how)
        change = SegmentChange(
            change_id=self._ids.new(),
            segment=name,
            how=how,
            numbers=len(indexes),
            added=added,
            ended=ended,
            changed_by=by,
            reason=reason,
            changed_at=self._clock.now(),
        )
        await segment_store.insert_change(tx, change)
        return change

    async def segment_counts(self, tx: Tx) -> list[SegmentCount]:
        """Return how many numbers each segment holds, and how many of them have an account."""
        return await segment_store.counts(tx)

    async def segment_holders(self, tx: Tx, name: str, limit: int = 50, offset: int = 0) -> list[AccountId]:
        """Return a page of the accounts in a segment, at most 200; numbers that nobody signed in with have none."""
        return await segment_store.holders(tx, name, min(limit, HOLDERS_MAX), offset)

    async def segment_changes(self, tx: Tx, name: str | None = None, limit: int = 50) -> list[SegmentChange]:
        """Return the newest changes, at most 200, of one segment or of all."""
        return await segment_store.changes(tx, name, min(limit, CHANGES_MAX))


async def _changed(tx: Tx, name: str, indexes: Sequence[bytes], how: ListHow) -> tuple[int, int]:
    """Return how many numbers are new in the segment, and how many are in it no more."""
    match how:
        case ListHow.ADD:
            return await segment_store.put(tx, name, indexes), 0
        case ListHow.REMOVE:
            return 0, await segment_store.delete(tx, name, indexes)
        case ListHow.REPLACE:
            ended = await segment_store.delete_others(tx, name, indexes)
            return await segment_store.put(tx, name, indexes), ended


def read_numbers(text: str) -> list[str]:
    """Return the numbers of a file or a field: CSV with the column `phone`, or numbers by line or between commas.

    Raises MembersFaulty, which names what is wrong by its line.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip().lower().startswith("phone"):
        return [member.phone for member in read_members(text.lstrip())]
    numbers: dict[str, None] = {}
    faults: list[str] = []
    for place, line in enumerate(text.splitlines(), start=1):
        for each in filter(str.strip, _BETWEEN.split(line)):
            try:
                numbers[rules.mobile_number(each.strip())] = None
            except PhoneNotValid:
                faults.append(f'line {place}: "{each.strip()}" is not a mobile number that exists')
    if faults:
        raise faulty(faults)
    return list(numbers)
