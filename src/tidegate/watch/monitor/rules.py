"""Decisions about figures, pure: states against goals, quantiles, time to sold out, the narrowest place."""

from collections.abc import Mapping

from tidegate.watch.monitor.contracts import Count, Sample, State, Station

WATCH_MARGIN = 0.1
"""A goal missed by up to a tenth of itself is to be watched; beyond it, to be acted on."""

ATTEMPTS_MIN = 20
"""Below this many attempts a minute a share says little: one slip of five would look like an outage."""

BEHIND_WATCH_S = 5.0
BEHIND_ACT_S = 30.0
SOLD_OUT_SOON_S = 300.0
NARROW_BELOW = 0.95
FLOW_MIN_RATE = 0.5
SILENT_AFTER_S = 5.0


def quantile_s(buckets: Mapping[float, float], share: float) -> float | None:
    """Return the quantile of a histogram, linear within its bucket; None when nothing was counted.

    `buckets` maps an upper bound in seconds to how many fell into that bucket alone. Beyond the last finite bound
    the bound itself is answered: more is not known.
    """
    total = sum(buckets.values())
    if total <= 0:
        return None
    wanted, below, lower = share * total, 0.0, 0.0
    for bound in sorted(buckets):
        if below + buckets[bound] >= wanted and buckets[bound] > 0:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (wanted - below) / buckets[bound]
        below += buckets[bound]
        lower = bound if bound != float("inf") else lower
    return lower


def state_of(value: float | None, goal: float | None, *, at_least: bool) -> State:
    """Return how `value` stands to `goal`; good where no goal is set, silent where there is no value."""
    if value is None:
        return State.SILENT
    if goal is None:
        return State.GOOD
    if at_least:
        reached, close = value >= goal, value >= goal * (1 - WATCH_MARGIN)
    else:
        reached, close = value <= goal, value <= goal * (1 + WATCH_MARGIN)
    return State.GOOD if reached else State.WATCH if close else State.ACT


def state_of_share(value: float | None, goal: float | None, attempts: int) -> State:
    """Return how a success share stands to its goal; small counts never call for action by themselves.

    A share close to one is judged by what fails: with a goal of 99.5 %, up to 1.5 % failing (three times what
    may fail) is to be watched, more is to be acted on.
    """
    if value is None:
        return State.SILENT
    if goal is None or value >= goal:
        return State.GOOD
    may_fail = max(1 - goal, 0.001)
    if attempts < ATTEMPTS_MIN or 1 - value <= 3 * may_fail:
        return State.WATCH
    return State.ACT


def state_of_goods(free: int, sold_out_in_s: float | None) -> State:
    """Return how urgent the stock of one of the goods is: sold out, soon sold out, or fine."""
    if free == 0:
        return State.ACT
    if sold_out_in_s is not None and sold_out_in_s <= SOLD_OUT_SOON_S:
        return State.WATCH
    return State.GOOD


def sold_out_in_s(free: int, rate: float) -> float | None:
    """Return in how many seconds `free` units are gone at `rate` units a second; None when nothing sells."""
    if free <= 0:
        return 0.0
    return free / rate if rate > 0 else None


def pace_goal(goal_total: int, reached: int, seconds_left: float) -> float:
    """Return the rate a second that still reaches `goal_total`; what is reached already lowers it."""
    return max(goal_total - reached, 0) / max(seconds_left, 1.0)


def stations(sample: Sample) -> tuple[Station, ...]:
    """Return the way of an order as it is now: arriving, ordering, paying, paid; the narrowest place is marked."""
    declined = max(sample.order_ask_rate - sample.order_rate, 0.0)
    asked = max(sample.order_ask_rate, sample.order_rate)
    ordering = _carried(sample.order_rate, asked)
    flow = (
        Station(key="arriving", in_rate=sample.page_rate, on_rate=asked, out_rate=0.0),
        Station(key="ordering", in_rate=asked, on_rate=sample.order_rate, out_rate=declined, carried=ordering),
        Station(
            key="paying",
            in_rate=sample.order_rate,
            on_rate=sample.paid_rate,
            out_rate=sample.lapsed_rate,
            here=sample.awaiting_payment,
            carried=sample.payment_success,
        ),
        Station(key="paid", in_rate=sample.paid_rate, on_rate=0.0, out_rate=0.0, here=sample.trade.paid),
    )
    return _mark_narrowest(flow)


def _carried(through: float, arrived: float) -> float | None:
    return min(through / arrived, 1.0) if arrived >= FLOW_MIN_RATE else None


def _mark_narrowest(flow: tuple[Station, ...]) -> tuple[Station, ...]:
    shares = [station.carried for station in flow if station.carried is not None]
    least = min(shares, default=1.0)
    if least >= NARROW_BELOW:
        return flow
    marked = next(station.key for station in flow if station.carried == least)
    return tuple(_narrowed(station, station.key == marked) for station in flow)


def _narrowed(station: Station, marked: bool) -> Station:  # noqa: FBT001 - private, named at its only call
    return Station(
        key=station.key,
        in_rate=station.in_rate,
        on_rate=station.on_rate,
        out_rate=station.out_rate,
        here=station.here,
        carried=station.carried,
        narrowest=marked,
    )


def counts_between(before: Mapping[str, float], after: Mapping[str, float], most: int = 8) -> tuple[Count, ...]:
    """Return what was counted between two readings, most frequent first; a counter that fell began anew."""
    grown = {code: value - min(before.get(code, 0.0), value) for code, value in after.items()}
    counts = [Count(code=code, count=round(count)) for code, count in grown.items() if count >= 1]
    return tuple(sorted(counts, key=lambda each: (-each.count, each.code))[:most])
