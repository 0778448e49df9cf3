"""The invariants of bots, held against the database."""

from tidegate.base.db import Tx
from tidegate.base.invariant import Check
from tidegate.gate.bots import rules, store
from tidegate.gate.bots.contracts import Decision

_EXAMINED_MAX = 500


async def check_bots(tx: Tx) -> list[Check]:
    """Return what was found of the newest decisions and counts, and of all undos."""
    decisions = await store.decisions(tx, None, _EXAMINED_MAX)
    other = [str(each.decision_id) for each in decisions if not follows(each)]
    counts, uncounted = await store.uncounted(tx)
    undos, too_long = await store.undos_too_long(tx, rules.UNDO_MAX)
    return [
        Check(
            name="bots: recorded signals give the recorded score, lane, work and rates",
            holds=not other,
            examined=len(decisions),
            detail=", ".join(other[:10]),
        ),
        Check(
            name="bots: no more examples than visits are kept",
            holds=not uncounted,
            examined=counts,
            detail=f"{uncounted} counts" if uncounted else "",
        ),
        Check(
            name="bots: no undo stands longer than thirty days",
            holds=not too_long,
            examined=undos,
            detail=f"{too_long} undos" if too_long else "",
        ),
    ]


def follows(decision: Decision) -> bool:
    """Return whether a decision follows from its signals by the weights of its edition; one of another edition does."""
    if decision.rules != rules.EDITION:
        return True
    points = 0 if decision.undone else decision.score.points
    return (
        rules.score(decision.signals),
        rules.lane(points),
        rules.work_factor(points),
        rules.rate_factor(points),
    ) == (
        decision.score,
        decision.lane,
        decision.work_factor,
        decision.rate_factor,
    )
