"""The rate limits of a campaign: how the file states them, what contradicts itself, and what stands without a word."""

from collections.abc import Iterator
from typing import TypeVar

from tidegate.offer.campaign.contracts import CampaignDefinition, LimitedAct, LimitScope, RateLimit, WhenDown
from tidegate.offer.campaign.reading import Table, duration

E = TypeVar("E", LimitedAct, LimitScope)

QUOTA_MAX = 1_000_000
WINDOW_SECONDS = (1, 86_400)
_BEFORE_SIGN_IN = frozenset({LimitedAct.ASK_CODE, LimitedAct.SIGN_IN})
_MINUTE = 60


def _limit(act: LimitedAct, scope: LimitScope, quota: int, burst: int, window_seconds: int = _MINUTE) -> RateLimit:
    return RateLimit(
        name=f"{act.replace('_', '-')}-{scope}",
        act=act,
        scope=scope,
        quota=quota,
        window_seconds=window_seconds,
        burst=burst,
    )


DEFAULTS = (
    _limit(LimitedAct.ASK_CODE, LimitScope.DEVICE, 10, 5, 10 * _MINUTE),
    _limit(LimitedAct.ASK_CODE, LimitScope.ADDRESS, 20, 10, 10 * _MINUTE),
    _limit(LimitedAct.ASK_CODE, LimitScope.NETWORK, 600, 200, 10 * _MINUTE),
    _limit(LimitedAct.SIGN_IN, LimitScope.DEVICE, 20, 10),
    _limit(LimitedAct.SIGN_IN, LimitScope.ADDRESS, 60, 30),
    _limit(LimitedAct.SIGN_IN, LimitScope.NETWORK, 1_200, 600),
    _limit(LimitedAct.TAKE_PLACE, LimitScope.ACCOUNT, 30, 15),
    _limit(LimitedAct.TAKE_PLACE, LimitScope.DEVICE, 20, 10),
    _limit(LimitedAct.TAKE_PLACE, LimitScope.ADDRESS, 300, 150),
    _limit(LimitedAct.TAKE_PLACE, LimitScope.NETWORK, 6_000, 3_000),
    _limit(LimitedAct.TAKE_PASS, LimitScope.ACCOUNT, 30, 15),
    _limit(LimitedAct.TAKE_PASS, LimitScope.DEVICE, 20, 10),
    _limit(LimitedAct.TAKE_PASS, LimitScope.ADDRESS, 300, 150),
    _limit(LimitedAct.TAKE_PASS, LimitScope.NETWORK, 6_000, 3_000),
    _limit(LimitedAct.SEARCH, LimitScope.ADDRESS, 120, 60),
    _limit(LimitedAct.SEARCH, LimitScope.NETWORK, 6_000, 3_000),
    _limit(LimitedAct.PLACE_ORDER, LimitScope.ACCOUNT, 120, 60),
    _limit(LimitedAct.PLACE_ORDER, LimitScope.DEVICE, 60, 30),
    _limit(LimitedAct.PLACE_ORDER, LimitScope.ADDRESS, 600, 300),
    _limit(LimitedAct.PLACE_ORDER, LimitScope.NETWORK, 12_000, 6_000),
    _limit(LimitedAct.CLAIM_COUPON, LimitScope.ACCOUNT, 30, 15),
    _limit(LimitedAct.CLAIM_COUPON, LimitScope.DEVICE, 20, 10),
    _limit(LimitedAct.CLAIM_COUPON, LimitScope.ADDRESS, 300, 150),
    _limit(LimitedAct.CLAIM_COUPON, LimitScope.NETWORK, 6_000, 3_000),
)
"""What stands where the file says nothing: far above what one person does, and wide for networks, since a carrier puts
hundreds of its customers behind one address. All allow while Valkey is down: what must hold then is in PostgreSQL."""


def rate_limits_of(definition: CampaignDefinition | None) -> tuple[RateLimit, ...]:
    """The rate limits of a campaign: its own where the file states any (`rate_limit = []`: none), else the defaults."""
    return DEFAULTS if definition is None or definition.rate_limits is None else definition.rate_limits


def read_rate_limit(table: Table) -> RateLimit:
    """One `[[rate_limit]]` of the file."""
    quota = _quota(table, "quota")
    limit = RateLimit(
        name=table.text("name"),
        act=_needed(table, "act", LimitedAct, LimitedAct.SEARCH),
        scope=_needed(table, "scope", LimitScope, LimitScope.ADDRESS),
        quota=quota,
        window_seconds=_window(table),
        burst=_quota(table, "burst") if "burst" in table else (quota + 1) // 2,
        when_down=table.choice("when_down", WhenDown, WhenDown.ALLOW),
    )
    table.done()
    return limit


def contradictions(limit: RateLimit) -> Iterator[tuple[str, *tuple[str, ...]]]:
    """What a rate limit says against itself: a message and the key that it stands at."""
    if limit.act in _BEFORE_SIGN_IN and limit.scope is LimitScope.ACCOUNT:
        yield f'"{limit.act}" comes before anybody is signed in; write scope device, address or network', "scope"


def _needed(table: Table, key: str, choices: type[E], stand_in: E) -> E:
    if key not in table:
        table.fault(key, f"is missing; write {', '.join(choices)}")
        return stand_in
    return table.choice(key, choices, stand_in)


def _quota(table: Table, key: str) -> int:
    quota = table.count(key)
    if key in table and not 1 <= quota <= QUOTA_MAX:
        table.fault(key, f"is out of range; it may be 1 to {QUOTA_MAX}")
    return min(max(quota, 1), QUOTA_MAX)


def _window(table: Table) -> int:
    least, most = WINDOW_SECONDS
    text = table.text("window")
    found = duration(text, 1_000, "seconds")
    if isinstance(found, int) and least <= found <= most:
        return found
    if text:
        table.fault("window", found if isinstance(found, str) else f'"{text}" is out of range; {least} s to {most} s')
    return least
