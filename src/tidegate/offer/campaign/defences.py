"""The defences of a campaign: how the file states them, what contradicts itself, and what stands without a word."""

from collections.abc import Iterator

from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    Defence,
    DefenceRule,
    Signal,
    Threshold,
)
from tidegate.offer.campaign.reading import Table, basis_points, duration

WINDOW_SECONDS = (5, 60)
STAY_SECONDS = (10, 3_600)
EXPIRY_SECONDS = (10, 86_400)

_NO_FACTOR = 10_000
_FACTOR_LEAST = 100
_SHARES = frozenset({Signal.FAILURES})


def _rule(
    name: str, starts: Defence, trigger: tuple[Signal, int, int], second: tuple[Signal, int, int], **more: int
) -> DefenceRule:
    (signal, start_at, stop_below), (other, other_start, other_stop) = trigger, second
    return DefenceRule(
        name=name,
        starts=starts,
        trigger=Threshold(signal=signal, start_at=start_at, stop_below=stop_below),
        second=Threshold(signal=other, start_at=other_start, stop_below=other_stop),
        **{"window_seconds": 10, "stay_seconds": 120, "expiry_seconds": 1_800, **more},
    )


DEFAULTS = (
    _rule("flood", Defence.WORK_FOR_ALL, (Signal.REQUESTS, 3_000, 1_500), (Signal.FAILURES, 3_000, 1_000)),
    _rule(
        "guessing",
        Defence.LOWER_LIMITS,
        (Signal.FAILED_SIGN_INS, 300, 100),
        (Signal.FAILURES, 2_000, 1_000),
        window_seconds=30,
        factor=5_000,
    ),
    _rule(
        "card-testing",
        Defence.LOWER_LIMITS,
        (Signal.FAILED_PAYMENTS, 300, 100),
        (Signal.NEW_DEVICES, 20, 5),
        window_seconds=60,
        factor=2_500,
    ),
    _rule(
        "overwhelmed",
        Defence.STATIC_ONLY,
        (Signal.REQUESTS, 10_000, 5_000),
        (Signal.FAILURES, 5_000, 2_000),
        stay_seconds=60,
        expiry_seconds=600,
    ),
)
"""What stands where the file says nothing: high enough that an honest opening, however large, starts none of them,
because an honest crowd does not fail (see decision 0018 for what counts as a failure)."""


def defences_of(definition: CampaignDefinition) -> tuple[DefenceRule, ...]:
    """The defences of a campaign: its own where the file states any (or `defence = []`, none), else the defaults."""
    return DEFAULTS if definition.defences is None else definition.defences


def read_defence(table: Table) -> DefenceRule:
    """One `[[defence]]` of the file."""
    starts = _needed(table, "starts", Defence, Defence.WORK_FOR_ALL)
    stay_seconds = _seconds(table, "minimum_stay", 120, STAY_SECONDS)
    factor = _factor(table) if "factor" in table else _NO_FACTOR
    rule = DefenceRule(
        name=table.text("name"),
        starts=starts,
        trigger=_threshold(table.table("trigger")),
        second=_threshold(table.table("second")),
        window_seconds=_seconds(table, "window", 10, WINDOW_SECONDS),
        stay_seconds=stay_seconds,
        expiry_seconds=_seconds(table, "expires", max(1_800, stay_seconds), EXPIRY_SECONDS),
        factor=factor,
    )
    table.done()
    return rule


def contradictions(rule: DefenceRule) -> Iterator[tuple[str, *tuple[str, ...]]]:
    """What a rule says against itself: a message and the key that it stands at."""
    if rule.trigger.signal is rule.second.signal:
        yield f'"{rule.second.signal}" is the trigger already; a second signal must agree', "second", "signal"
    for key, threshold in (("trigger", rule.trigger), ("second", rule.second)):
        if threshold.stop_below >= threshold.start_at:
            yield "is not below start_at; a defence must not end where it begins", key, "stop_below"
        if threshold.signal in _SHARES and threshold.start_at > 10_000:
            yield "is more than 100 %", key, "start_at"
    if rule.expiry_seconds < rule.stay_seconds:
        yield "is sooner than the minimum stay", "expires"
    if (rule.starts is Defence.LOWER_LIMITS) != (rule.factor < _NO_FACTOR):
        what = "lower_limits needs a factor below 100 %" if rule.starts is Defence.LOWER_LIMITS else "has no factor"
        yield f"{what}; write factor only with lower_limits", "factor"


def _needed(table: Table, key: str, choices: type[Defence], stand_in: Defence) -> Defence:
    if key not in table:
        table.fault(key, f"is missing; write {', '.join(choices)}")
        return stand_in
    return table.choice(key, choices, stand_in)


def _threshold(table: Table) -> Threshold:
    if "signal" not in table:
        table.fault("signal", f"is missing; write {', '.join(Signal)}")
    signal = table.choice("signal", Signal, Signal.REQUESTS)
    start_at = _level(table, "start_at", signal)
    stop_below = _level(table, "stop_below", signal) if "stop_below" in table else (start_at + 1) // 2
    table.done()
    return Threshold(signal=signal, start_at=start_at, stop_below=stop_below)


def _level(table: Table, key: str, signal: Signal) -> int:
    """A share in basis points, or a count; at least 1."""
    level = _share(table, key) if signal in _SHARES else table.count(key)
    if level == 0 and key in table:
        table.fault(key, "is nothing; a threshold is more than that")
    return max(level, 1)


def _share(table: Table, key: str) -> int:
    text = table.text(key)
    found = basis_points(text)
    if isinstance(found, int):
        return found
    if text:
        table.fault(key, found)
    return 1


def _factor(table: Table) -> int:
    factor = _share(table, "factor")
    if not _FACTOR_LEAST <= factor <= _NO_FACTOR:
        table.fault("factor", "is out of range; it may be 1 % to 100 %")
        return _FACTOR_LEAST
    return factor


def _seconds(table: Table, key: str, default: int, limits: tuple[int, int]) -> int:
    if key not in table:
        return default
    text = table.text(key)
    found = duration(text, 1_000, "seconds")
    least, most = limits
    if isinstance(found, int) and least <= found <= most:
        return found
    if text:
        table.fault(key, found if isinstance(found, str) else f'"{text}" is out of range; {least} s to {most} s')
    return max(default, least)
