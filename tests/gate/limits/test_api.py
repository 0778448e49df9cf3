"""Limits on the real Valkey: never too many, in order, apart from each other, whatever clocks and servers do."""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.base.cache import Cache
from tidegate.base.config import Config
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.embedded.valkey import EmbeddedValkey
from tidegate.gate.limits import rules
from tidegate.gate.limits.api import BATCH_MAX, Limits
from tidegate.gate.limits.contracts import (
    Admitted,
    Ask,
    Asker,
    LimitedAct,
    LimitScope,
    RateLimit,
    Reached,
    WhenDown,
)
from tidegate.gate.limits.errors import RateLimitReached, RateLimitUnknown

DAY = 86_400
Servers = tuple[EmbeddedPostgres, EmbeddedValkey]


def limit(
    scope: LimitScope = LimitScope.ADDRESS,
    *,
    quota: int = 1,
    burst: int = 1,
    window_seconds: int = DAY,
    act: LimitedAct = LimitedAct.SEARCH,
    when_down: WhenDown = WhenDown.ALLOW,
) -> RateLimit:
    """A limit whose burst is all that a test can use up, since nothing comes back for hours."""
    return RateLimit(
        name=f"{act}-{scope}".replace("_", "-"),
        act=act,
        scope=scope,
        quota=quota,
        window_seconds=window_seconds,
        burst=burst,
        when_down=when_down,
    )


def settings_of(secret: bytes | None = None) -> Config:
    """Settings of an installation of its own: another secret counts under other keys."""
    return Config(data_dir=Path("unused"), secret=secret or os.urandom(32))


def limits(cache: Cache, *stated: RateLimit, config: Config | None = None, factor: float = 1.0) -> Limits:
    return Limits(config or settings_of(), cache, lambda: stated, lambda: factor)


HOME = Asker("198.51.100.7", UUID(int=1), UUID(int=11))
NEIGHBOUR = Asker("198.51.100.8", UUID(int=2), UUID(int=22))
ABROAD = Asker("203.0.113.9", UUID(int=3), UUID(int=33))


async def admitted(counting: Limits, *askers: Asker, act: LimitedAct = LimitedAct.SEARCH) -> list[bool]:
    decisions = await counting.decide([Ask(act, asker) for asker in askers])
    return [isinstance(each, Admitted) for each in decisions]


async def test_sixty_four_checkers_in_four_processes_never_admit_more_than_quota_and_burst(cache: Cache) -> None:
    """The times of all admissions lie between two readings of Valkey's own clock, window by window."""
    stated, config = limit(quota=50, burst=20, window_seconds=1), settings_of()
    processes = [limits(cache, stated, config=config) for _ in range(4)]
    spans: list[tuple[float, float]] = []

    async def now() -> float:
        seconds, microseconds = await cache.client.time()
        return int(seconds) + int(microseconds) / 1e6

    async def check(counting: Limits) -> None:
        for _ in range(40):
            began = await now()
            try:
                await counting.require(LimitedAct.SEARCH, HOME)
            except RateLimitReached:
                continue
            spans.append((began, await now()))

    first = await now()
    await asyncio.gather(*(check(processes[number % 4]) for number in range(64)))
    last = await now()
    assert len(spans) >= 20
    assert len(spans) <= 20 + 50 * (last - first)
    for start, _ in spans:
        assert sum(start <= began and ended <= start + 1 for began, ended in spans) <= 70


SCOPES = tuple(LimitScope)
LIMIT_SETS = st.dictionaries(st.sampled_from(SCOPES), st.integers(1, 4), max_size=4)
ASKED = st.lists(st.sampled_from([HOME, NEIGHBOUR, ABROAD, Asker("198.51.100.7"), Asker("127.0.0.1")]), max_size=30)


def in_order(bursts: dict[LimitScope, int], askers: list[Asker]) -> list[bool]:
    """What a person with a pencil decides, one ask after the other, while nothing comes back."""
    used: Counter[tuple[LimitScope, bytes]] = Counter()
    answers = []
    for asker in askers:
        subjects = {scope: subject for scope in bursts if (subject := rules.SUBJECTS[scope](asker)) is not None}
        answers.append(all(used[each] < bursts[each[0]] for each in subjects.items()))
        used.update(subjects.items() if answers[-1] else ())
    return answers


def test_a_batch_decides_as_single_asks_in_order_would(servers: Servers) -> None:
    @settings(max_examples=60)
    @given(bursts=LIMIT_SETS, askers=ASKED)
    def holds(bursts: dict[LimitScope, int], askers: list[Asker]) -> None:
        stated = [limit(scope, burst=burst) for scope, burst in bursts.items()]
        asyncio.run(compared(stated, bursts, askers))

    async def compared(stated: list[RateLimit], bursts: dict[LimitScope, int], askers: list[Asker]) -> None:
        cache = Cache(servers[1].url)
        try:
            together, one_by_one = limits(cache, *stated), limits(cache, *stated)
            batch = await admitted(together, *askers)
            assert batch == [(await admitted(one_by_one, asker))[0] for asker in askers]
            assert batch == in_order(bursts, askers)
        finally:
            await cache.close()

    holds()


async def test_a_batch_larger_than_one_call_is_decided_whole(cache: Cache) -> None:
    counting = limits(cache, limit(burst=BATCH_MAX + 3))
    assert await admitted(counting, *[HOME] * (BATCH_MAX + 5)) == [True] * (BATCH_MAX + 3) + [False] * 2


async def test_all_who_ask_at_one_moment_are_one_call(cache: Cache) -> None:
    counting = limits(cache, *(limit(scope, burst=100) for scope in SCOPES))
    await counting.require(LimitedAct.SEARCH, HOME)
    before = int((await cache.client.info("commandstats"))["cmdstat_evalsha"]["calls"])
    await asyncio.gather(*(counting.require(LimitedAct.SEARCH, HOME) for _ in range(64)))
    assert int((await cache.client.info("commandstats"))["cmdstat_evalsha"]["calls"]) - before <= 2


async def test_scopes_and_acts_and_subjects_are_apart(cache: Cache) -> None:
    counting = limits(cache, limit(burst=1), limit(LimitScope.NETWORK, burst=2), limit(act=LimitedAct.SIGN_IN, burst=1))
    assert await admitted(counting, HOME, HOME, NEIGHBOUR, NEIGHBOUR, ABROAD) == [True, False, True, False, True]
    assert await admitted(counting, HOME, act=LimitedAct.SIGN_IN) == [True]


async def test_a_refused_ask_uses_up_nothing(cache: Cache) -> None:
    counting = limits(cache, limit(burst=1), limit(LimitScope.NETWORK, burst=2))
    assert await admitted(counting, HOME, HOME, HOME, NEIGHBOUR) == [True, False, False, True]


async def test_whoever_comes_from_this_machine_is_counted_by_account_only(cache: Cache) -> None:
    counting = limits(cache, limit(), limit(LimitScope.NETWORK), limit(LimitScope.ACCOUNT))
    assert await admitted(counting, *[Asker("127.0.0.1")] * 3, *[Asker("::1", UUID(int=5))] * 2) == [
        True, True, True, True, False,
    ]  # fmt: skip


async def test_the_refusal_names_the_limit_that_takes_longest(cache: Cache) -> None:
    counting = limits(cache, limit(window_seconds=60), limit(LimitScope.ACCOUNT, quota=2, window_seconds=7_200))
    await counting.require(LimitedAct.SEARCH, HOME)
    with pytest.raises(RateLimitReached) as refused:
        await counting.require(LimitedAct.SEARCH, HOME)
    assert refused.value.fields == {
        "rate_limit": {
            "name": "search-account", "scope": LimitScope.ACCOUNT, "quota": 2, "window_seconds": 7_200, "remaining": 0,
        },
        "retry_after": 3_600,
    }  # fmt: skip


async def test_an_act_comes_back_after_its_interval(cache: Cache) -> None:
    counting = limits(cache, limit(quota=1_000, window_seconds=1))
    assert (await admitted(counting, HOME))[0]
    await asyncio.sleep(0.005)
    assert (await admitted(counting, HOME))[0]


async def test_an_attack_lowers_every_limit(cache: Cache) -> None:
    assert await admitted(limits(cache, limit(burst=8), factor=0.25), *[HOME] * 3) == [True, True, False]
    assert await admitted(limits(cache, limit(burst=8), factor=0.01), *[HOME] * 2) == [True, False]


async def test_a_clock_of_valkey_that_was_set_back_costs_one_allowance_at_most(cache: Cache) -> None:
    """What an hour ahead leaves behind, found by a clock that is right again: cut once, then it passes as any other."""
    counting = limits(cache, limit(quota=60, burst=5, window_seconds=60))
    assert await admitted(counting, HOME) == [True]
    [key] = await cache.client.keys("{limits}:*")
    seconds, _ = await cache.client.time()
    await cache.client.set(key, (seconds + 3_600) * 1_000_000, px=3_600_000)
    [decision] = await counting.decide([Ask(LimitedAct.SEARCH, HOME)])
    assert isinstance(decision, Reached)
    assert decision.wait_seconds == 1
    await later(cache, key, 1_000_000)
    assert await admitted(counting, HOME, HOME) == [True, False]
    assert 0 < await cache.client.pttl(key) <= 5_000


async def later(cache: Cache, key: bytes, microseconds: int) -> None:
    """As if so long had passed: the number of a subject lies nearer by as much."""
    number = await cache.client.get(key)
    assert number is not None
    await cache.client.set(key, int(number) - microseconds, px=DAY * 1_000)


@given(
    quota=st.integers(1, 50),
    burst=st.integers(1, 50),
    factor=st.sampled_from([1.0, 0.5, 0.25]),
    ahead_seconds=st.integers(-10, 2 * DAY),
)
@settings(max_examples=60)
def test_whoever_waits_as_told_comes_in(
    servers: Servers, quota: int, burst: int, factor: float, ahead_seconds: int
) -> None:
    """Whatever number is found, left by a clock that was wrong or by a limit that was not lowered yet."""

    async def holds() -> None:
        cache = Cache(servers[1].url)
        try:
            await cache.client.flushall()
            counting = limits(cache, limit(quota=quota, burst=burst, window_seconds=60), factor=factor)
            await counting.require(LimitedAct.SEARCH, HOME)
            [key] = await cache.client.keys("{limits}:*")
            seconds, _ = await cache.client.time()
            await cache.client.set(key, (int(seconds) + ahead_seconds) * 1_000_000, px=3 * DAY * 1_000)
            [decision] = await counting.decide([Ask(LimitedAct.SEARCH, HOME)])
            if isinstance(decision, Reached):
                assert decision.wait_seconds <= -(-60 // quota) * burst + 60
                await later(cache, key, decision.wait_seconds * 1_000_000)
                assert await admitted(counting, HOME) == [True]
        finally:
            await cache.close()

    asyncio.run(holds())


@pytest.mark.parametrize(("quota", "burst"), [(10, 7), (3, 5), (120, 60)])
async def test_processes_that_learn_of_an_attack_one_after_the_other_forget_nothing(
    cache: Cache, quota: int, burst: int
) -> None:
    stated, config = limit(quota=quota, burst=burst), settings_of()
    calm, alarmed = (limits(cache, stated, config=config, factor=factor) for factor in (1.0, 0.25))
    answers = [(await admitted(each, HOME))[0] for _ in range(2 * burst) for each in (alarmed, calm)]
    assert sum(answers) <= burst


async def test_a_limit_with_other_figures_begins_anew(cache: Cache) -> None:
    config = settings_of()
    assert await admitted(limits(cache, limit(burst=1), config=config), HOME, HOME) == [True, False]
    assert await admitted(limits(cache, limit(burst=2), config=config), *[HOME] * 3) == [True, True, False]
    assert await admitted(limits(cache, limit(burst=1), config=config), HOME) == [False]


async def test_what_is_kept_names_nobody_and_goes_away(cache: Cache) -> None:
    await admitted(limits(cache, limit(window_seconds=60), limit(LimitScope.ACCOUNT, window_seconds=60)), HOME)
    keys = await cache.client.keys("*")
    assert len(keys) == 2
    assert all(key.startswith(b"{limits}:") and len(key) == 25 for key in keys)
    assert all([0 < await cache.client.pttl(key) <= 60_000 for key in keys])


async def test_nothing_stated_asks_nobody(servers: Servers) -> None:
    nowhere = Cache("unix:///nowhere/valkey.sock")
    await limits(nowhere, limit(act=LimitedAct.SIGN_IN)).require(LimitedAct.SEARCH, HOME)
    await nowhere.close()


async def test_each_limit_answers_for_itself_while_valkey_is_killed_and_counts_again_after(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path)
    valkey.start()
    cache = Cache(valkey.url)
    config = settings_of()
    allowing = limits(cache, limit(LimitScope.ACCOUNT), config=config)
    refusing = limits(
        cache, limit(LimitScope.ACCOUNT), limit(when_down=WhenDown.REFUSE, quota=9, burst=9), config=config
    )
    try:
        assert await admitted(allowing, HOME, HOME) == [True, False]
        assert valkey.pid is not None
        os.kill(valkey.pid, signal.SIGKILL)
        while await cache.alive():
            await asyncio.sleep(0.01)
        assert await admitted(allowing, HOME, HOME) == [True, True]
        with pytest.raises(RateLimitUnknown) as unknown:
            await refusing.require(LimitedAct.SEARCH, HOME)
        assert unknown.value.fields["retry_after"] == 2
        valkey.start()
        again = limits(cache, limit(LimitScope.ACCOUNT), config=settings_of())
        assert await admitted(again, HOME, HOME) == [True, False]
    finally:
        await cache.close()
        valkey.stop()


async def test_a_valkey_that_hangs_is_left_alone_for_a_second(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path)
    valkey.start()
    cache = Cache(valkey.url)
    counting = limits(cache, limit(burst=100))
    try:
        assert await admitted(counting, HOME) == [True]
        assert valkey.pid is not None
        os.kill(valkey.pid, signal.SIGSTOP)
        assert await admitted(counting, HOME) == [True]
        os.kill(valkey.pid, signal.SIGCONT)
        used = await cache.client.keys("{limits}:*")
        await cache.client.delete(*used)
        assert await admitted(counting, HOME) == [True]
        assert await cache.client.keys("{limits}:*") == []
    finally:
        await cache.close()
        valkey.stop()


def suspecting(cache: Cache, stated: tuple[RateLimit, ...], suspect: UUID | None) -> Limits:
    return Limits(settings_of(), cache, lambda: stated, suspicion=lambda who: 0.25 if who == suspect else 1.0)


async def test_suspicion_lowers_the_limits_of_the_account_and_its_device_and_nobody_else_s(cache: Cache) -> None:
    suspect = ABROAD.account_id
    neighbour = Asker(ABROAD.address, UUID(int=4), UUID(int=44))
    for scope, suspect_admitted in (
        (LimitScope.ACCOUNT, 3),
        (LimitScope.DEVICE, 3),
        (LimitScope.ADDRESS, 8),
        (LimitScope.NETWORK, 8),
    ):
        stated = (limit(scope, burst=8),)
        counting = suspecting(cache, stated, suspect)
        assert sum(await admitted(counting, *[ABROAD] * 10)) == suspect_admitted
        if scope in rules.OWN_SCOPES:
            assert sum(await admitted(counting, *[neighbour] * 10)) == 8


async def test_a_suspicion_that_is_undone_gives_the_whole_limit_back_and_forgets_no_act(cache: Cache) -> None:
    stated, now = (limit(LimitScope.ACCOUNT, burst=8),), [0.25]
    counting = Limits(settings_of(), cache, lambda: stated, suspicion=lambda _: now[0])
    assert sum(await admitted(counting, *[HOME] * 10)) == 3
    now[0] = 1.0
    assert sum(await admitted(counting, *[HOME] * 10)) == 5
