"""The five figures that the team steers by, with their goals, drawn from a sample and the campaign's goals; pure."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from tidegate.offer.campaign.contracts import CampaignDefinition, GoalKind, PhaseName
from tidegate.watch.monitor.contracts import CampaignFacts, Figure, Sample, State
from tidegate.watch.monitor.rules import pace_goal, state_of, state_of_share

ANSWER_P99_GOAL_MS = 150.0
"""The product's own promise for an answer at the door, stated in docs/benchmarks.md."""


class Goals(msgspec.Struct, frozen=True, kw_only=True):
    """What the campaign wants to reach, as far as the live page can measure it now."""

    gmv: int | None = None
    orders: int | None = None
    payment_success: float | None = None
    burst_starts_at: datetime | None = None
    burst_ends_at: datetime | None = None


def goals_of(definition: CampaignDefinition | None) -> Goals:
    """Return the goals of a campaign; none where there is no campaign."""
    if definition is None:
        return Goals()
    targets: Mapping[GoalKind, int] = {goal.kind: goal.target for goal in definition.goals}
    success = targets.get(GoalKind.PAYMENT_SUCCESS)
    burst = definition.phase(PhaseName.BURST)
    return Goals(
        gmv=targets.get(GoalKind.GMV),
        orders=targets.get(GoalKind.ORDERS),
        payment_success=None if success is None else success / 10_000,
        burst_starts_at=burst.starts_at,
        burst_ends_at=burst.ends_at,
    )


def figures(sample: Sample, goals: Goals, now: datetime) -> tuple[Figure, ...]:
    """Return orders a second, GMV, payment success, the slowest hundredth's answer, and orders awaiting payment."""
    trade = (_orders(sample, goals, now), _gmv(sample, goals, now))
    return (*trade, _success(sample, goals), _p99(sample), _awaiting(sample))


def _orders(sample: Sample, goals: Goals, now: datetime) -> Figure:
    goal = None
    if goals.orders is not None and _within_burst(goals, now) and goals.burst_ends_at is not None:
        goal = round(pace_goal(goals.orders, sample.trade.placed, (goals.burst_ends_at - now).total_seconds()), 2)
    state = State.GOOD if goal is None or sample.order_rate >= goal else State.WATCH
    state = state if sample.order_rate else State.SILENT
    return Figure(
        key="orders",
        value=sample.order_rate,
        unit="per-second",
        goal=goal,
        at_least=True,
        state=state,
        action="behind-pace" if state is State.WATCH else "",
    )


def _gmv(sample: Sample, goals: Goals, now: datetime) -> Figure:
    """Being behind the pace of the day is to be watched; it is no emergency, so it never calls for action."""
    state = State.GOOD if sample.trade.placed_value else State.SILENT
    due = (goals.gmv or 0) * _elapsed(goals, now)
    if sample.trade.placed_value < due:
        state = State.WATCH
    return Figure(
        key="gmv",
        value=float(sample.trade.placed_value),
        unit="money",
        goal=None if goals.gmv is None else float(goals.gmv),
        at_least=True,
        state=state,
        action="behind-pace" if state is State.WATCH else "",
    )


def _success(sample: Sample, goals: Goals) -> Figure:
    attempts = sum(channel.attempts_minute for channel in sample.channels)
    state = state_of_share(sample.payment_success, goals.payment_success, attempts)
    return Figure(
        key="payment_success",
        value=sample.payment_success,
        unit="share",
        goal=goals.payment_success,
        at_least=True,
        state=state,
        action="look-at-channels" if state in {State.WATCH, State.ACT} else "",
    )


def _p99(sample: Sample) -> Figure:
    state = state_of(sample.p99_ms, ANSWER_P99_GOAL_MS, at_least=False)
    return Figure(
        key="p99",
        value=sample.p99_ms,
        unit="ms",
        goal=ANSWER_P99_GOAL_MS,
        at_least=False,
        state=state,
        action="look-at-slow-routes" if state in {State.WATCH, State.ACT} else "",
    )


def _awaiting(sample: Sample) -> Figure:
    return Figure(
        key="awaiting",
        value=float(sample.awaiting_payment),
        unit="orders",
        goal=None,
        at_least=False,
        state=State.GOOD if sample.awaiting_payment else State.SILENT,
    )


def _within_burst(goals: Goals, now: datetime) -> bool:
    if goals.burst_starts_at is None or goals.burst_ends_at is None:
        return False
    return goals.burst_starts_at <= now < goals.burst_ends_at


def _elapsed(goals: Goals, now: datetime) -> float:
    """Return the share of the burst that is over: 0 before it, 1 after it."""
    if goals.burst_starts_at is None or goals.burst_ends_at is None:
        return 0.0
    length = (goals.burst_ends_at - goals.burst_starts_at).total_seconds()
    return min(max((now - goals.burst_starts_at).total_seconds() / length, 0.0), 1.0) if length > 0 else 1.0


def campaign_facts(definition: CampaignDefinition | None, version: int, now: datetime) -> CampaignFacts | None:
    """Return what the head of every console page says of the campaign that is on."""
    if definition is None:
        return None
    present = next((phase for phase in definition.phases if phase.starts_at <= now < phase.ends_at), None)
    later = (phase for phase in definition.phases if phase.starts_at > now)
    coming = min(later, key=lambda phase: phase.starts_at, default=None)
    return CampaignFacts(
        campaign_id=definition.id,
        title_zh=definition.title.zh,
        title_en=definition.title.en,
        version=version,
        currency=definition.currency,
        phase=present.name.value if present else None,
        phase_ends_at=present.ends_at if present else None,
        next_phase=coming.name.value if coming else None,
        next_phase_at=coming.starts_at if coming else None,
    )
