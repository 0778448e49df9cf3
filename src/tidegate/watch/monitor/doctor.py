"""Runs every module's checks at one moment of the database, and tells which invariant is broken."""

import asyncio
import logging
from collections.abc import Mapping
from time import perf_counter

from tidegate.base.clock import Clock
from tidegate.base.db import Database, Tx
from tidegate.base.invariant import Check
from tidegate.base.metrics import faults
from tidegate.watch.monitor.contracts import Examination, Json, Level, NewAnnouncement
from tidegate.watch.monitor.ports import Checked

log = logging.getLogger(__name__)

LOOKS_MAX = 5
LOOK_AGAIN_SECONDS = 0.5


async def examine(tx: Tx, modules: Mapping[str, Checked], clock: Clock) -> Examination:
    """Run all checks. A check that fails to answer counts as broken: what was not examined is not known to hold."""
    examined_at, began = clock.now(), perf_counter()
    checks: list[Check] = []
    for name, module in modules.items():
        checks += await _examine_one(tx, name, module)
    return Examination(examined_at=examined_at, took_ms=round((perf_counter() - began) * 1000), checks=tuple(checks))


async def _examine_one(tx: Tx, name: str, module: Checked) -> list[Check]:
    try:
        async with tx.transaction():
            return await module.check(tx)
    except Exception as fault:
        log.exception("the checks of %s could not be run", name)
        faults.labels(f"doctor:{name}").inc()
        detail = f"could not be examined: {fault}"[:500]
        return [Check(name=f"{name}: examined", holds=False, examined=0, detail=detail)]


async def confirmed(db: Database, modules: Mapping[str, Checked], clock: Clock) -> Examination:
    """Examine, and examine again what is broken: it counts only when it is broken each time.

    Between two modules an invariant is open for the moment in which an event travels from one to the other; what is
    really broken stays broken.
    """
    examination = await _on_snapshot(db, modules, clock)
    for _ in range(LOOKS_MAX - 1):
        if examination.holds:
            break
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        examination = _both(examination, await _on_snapshot(db, modules, clock))
    return examination


async def _on_snapshot(db: Database, modules: Mapping[str, Checked], clock: Clock) -> Examination:
    async with db.snapshot() as tx:
        return await examine(tx, modules, clock)


def _both(first: Examination, second: Examination) -> Examination:
    """Return the second look, in which what held at the first still counts as holding."""
    held = {check.name: check for check in first.checks if check.holds}
    checks = tuple(held.get(check.name, check) for check in second.checks)
    return Examination(examined_at=first.examined_at, took_ms=first.took_ms + second.took_ms, checks=checks)


def verdict_changes(before: Examination | None, after: Examination) -> list[NewAnnouncement]:
    """Return what has to be told: invariants newly broken, and those that hold again."""
    broken_before = {check.name for check in before.broken} if before else set()
    told = [_broken(check) for check in after.broken if check.name not in broken_before]
    broken_now = {check.name for check in after.broken}
    return told + [
        NewAnnouncement(level=Level.GOOD, kind="invariant-holds-again", subject=name[:120])
        for name in sorted(broken_before - broken_now)
    ]


def _broken(check: Check) -> NewAnnouncement:
    facts: dict[str, Json] = {"detail": check.detail[:300]}
    return NewAnnouncement(level=Level.ACT, kind="invariant-broken", subject=check.name[:120], facts=facts)
