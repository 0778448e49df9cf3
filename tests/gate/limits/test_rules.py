"""Who counts as whom, and how fast."""

from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.base.http import network_of
from tidegate.gate.limits import rules
from tidegate.gate.limits.contracts import (
    Admitted,
    Asker,
    LimitedAct,
    LimitScope,
    RateLimit,
    Reached,
    Unknown,
    WhenDown,
)


def limit(quota: int = 10, window_seconds: int = 60, burst: int = 5, when_down: WhenDown = WhenDown.ALLOW) -> RateLimit:
    return RateLimit(
        name="searches",
        act=LimitedAct.SEARCH,
        scope=LimitScope.NETWORK,
        quota=quota,
        window_seconds=window_seconds,
        burst=burst,
        when_down=when_down,
    )


@pytest.mark.parametrize(
    ("one", "other", "address", "network"),
    [
        ("203.0.113.7", "203.0.113.200", False, True),
        ("203.0.113.7", "203.0.114.7", False, False),
        ("203.0.113.7", "::ffff:203.0.113.7", True, True),
        ("2001:db8:1:2::7", "2001:db8:1:2:9::8", True, True),
        ("2001:db8:1:2::7", "2001:db8:1:3::7", False, True),
        ("2001:db8:1:2::7", "2001:db8:2:2::7", False, False),
        ("fe80::1%eth0", "fe80::1", True, True),
        ("203.0.113.7", "203.0.113.7:40001", True, True),
        ("2001:db8:1:2::7", "[2001:db8:1:2::7]:40001", True, True),
        ("[2001:db8:1:2::7]", "[::ffff:203.0.113.7]:40001", False, False),
        ("nonsense", "", True, True),
        ("[", "203.0.113.7:1:2", True, True),
    ],
)
def test_addresses_and_networks(one: str, other: str, address: bool, network: bool) -> None:
    subjects = [
        [rules.SUBJECTS[scope](Asker(text)) for text in (one, other)]
        for scope in (LimitScope.ADDRESS, LimitScope.NETWORK)
    ]
    assert [first == second for first, second in subjects] == [address, network]
    assert None not in subjects[0]


@pytest.mark.parametrize("text", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_no_network(text: str) -> None:
    assert rules.SUBJECTS[LimitScope.ADDRESS](Asker(text)) is None
    assert rules.SUBJECTS[LimitScope.NETWORK](Asker(text)) is None


def test_only_who_is_known_has_account_and_device() -> None:
    signed_in = Asker("203.0.113.7", UUID(int=1), UUID(int=2))
    assert rules.SUBJECTS[LimitScope.ACCOUNT](signed_in) == UUID(int=1).bytes
    assert rules.SUBJECTS[LimitScope.DEVICE](signed_in) == UUID(int=2).bytes
    assert rules.SUBJECTS[LimitScope.ACCOUNT](Asker("203.0.113.7")) is None
    assert rules.SUBJECTS[LimitScope.DEVICE](Asker("203.0.113.7")) is None


@given(st.integers(1, 1_000_000), st.integers(1, 86_400))
def test_the_pace_never_gives_more_than_the_quota(quota: int, window_seconds: int) -> None:
    interval = rules.interval_of(limit(quota, window_seconds))
    assert interval * quota >= window_seconds * 1_000_000
    assert (interval - 1) * quota < window_seconds * 1_000_000


@given(st.integers(1, 1_000), st.integers(1, 1_000), st.floats(0.01, 1))
def test_lowering_leaves_one_act_at_least_and_never_adds_any(quota: int, burst: int, factor: float) -> None:
    lowered = rules.lowered(limit(quota, burst=burst), factor)
    assert 1 <= lowered.quota <= quota
    assert 1 <= lowered.burst <= burst
    assert rules.lowered(limit(quota, burst=burst), 1.0) == limit(quota, burst=burst)


@given(st.integers(1, 1_000), st.floats(0.01, 1), st.integers(1, 10))
def test_lowering_leaves_so_many_at_once_as_the_limit_allows_of_them(burst: int, factor: float, least: int) -> None:
    lowered = rules.lowered(limit(60, burst=burst), factor, burst_min=least)
    assert min(least, burst) <= lowered.burst <= burst


def test_while_down_one_that_refuses_is_enough() -> None:
    refusing = limit(when_down=WhenDown.REFUSE)
    assert rules.while_down([]) == Admitted()
    assert rules.while_down([limit(), limit()]) == Admitted()
    assert rules.while_down([limit(), refusing]) == Unknown(refusing)


@pytest.mark.parametrize(("microseconds", "seconds"), [(1, 1), (1_000_000, 1), (1_000_001, 2)])
def test_waits_are_whole_seconds_rounded_up(microseconds: int, seconds: int) -> None:
    stated = [limit(), limit(9)]
    assert rules.decision_of(stated, 2, microseconds) == Reached(stated[1], seconds)
    assert rules.decision_of(stated, 0, 0) == Admitted()


@given(st.ip_addresses())
def test_addresses_are_read_as_the_standard_library_reads_them(address: IPv4Address | IPv6Address) -> None:
    read = address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
    expected = None if read.is_loopback else read.packed
    assert network_of(str(address), bytes_v4=4, bytes_v6=16) == expected


def test_the_key_keeps_the_subject_to_itself() -> None:
    subject, one = b"\xcb\x00\x71", limit()
    key = rules.keys_of(b"s" * 32, one)(subject)
    assert key.startswith(b"{limits}:")
    assert len(key) == len(b"{limits}:") + 16
    assert subject not in key
    assert key != rules.keys_of(b"t" * 32, one)(subject)
    assert key != rules.keys_of(b"s" * 32, msgspec.structs.replace(one, name="other"))(subject)
    assert key != rules.keys_of(b"s" * 32, msgspec.structs.replace(one, quota=11))(subject)
    assert key != rules.keys_of(b"s" * 32, one)(b"\xcb\x00\x72")
