"""The rate limits of a campaign file: read, checked, defaulted; versions from before they existed keep their hash."""

import tomllib
from typing import Any

import msgspec
import pytest

from tests.offer.festivals import definition
from tidegate.offer.campaign import rules
from tidegate.offer.campaign.contracts import CampaignDefinition, LimitedAct, LimitScope, RateLimit, WhenDown
from tidegate.offer.campaign.rate_limits import DEFAULTS, contradictions, rate_limits_of, read_rate_limit
from tidegate.offer.campaign.reading import Notes, Table

FULL = """
name = "orders-of-a-network"
act = "place_order"
scope = "network"
quota = 300
window = "1 min"
burst = 100
when_down = "refuse"
"""


def read(text: str) -> tuple[RateLimit, list[str]]:
    """The rate limit that a table describes, and its faults."""
    notes = Notes()
    raw: dict[str, Any] = tomllib.loads(text)
    limit = read_rate_limit(Table(notes, ("rate_limit", 0), raw))
    return limit, [str(fault) for fault in notes.faults]


def test_a_full_one() -> None:
    assert read(FULL) == (
        RateLimit(
            name="orders-of-a-network",
            act=LimitedAct.PLACE_ORDER,
            scope=LimitScope.NETWORK,
            quota=300,
            window_seconds=60,
            burst=100,
            when_down=WhenDown.REFUSE,
        ),
        [],
    )


def test_half_the_quota_may_come_at_once_and_nobody_is_refused_while_nobody_can_count() -> None:
    limit, faults = read('name = "x"\nact = "search"\nscope = "device"\nquota = 5\nwindow = "10 s"')
    assert (limit.burst, limit.when_down, faults) == (3, WhenDown.ALLOW, [])


@pytest.mark.parametrize(
    ("line", "instead", "fault"),
    [
        ('"place_order"', '"place_orders"', 'did you mean "place_order"'),
        (
            'act = "place_order"',
            "",
            "act: is missing; write ask_code, sign_in, take_place, take_pass, search, place_order, claim_coupon",
        ),
        ('scope = "network"', "", "scope: is missing; write account, device, address, network"),
        ("quota = 300", "", "quota: is missing"),
        ("quota = 300", "quota = 0", "quota: is out of range; it may be 1 to 1000000"),
        ("burst = 100", "burst = 0", "burst: is out of range"),
        ('"1 min"', '"2 days"', 'window: "2 days" is not a duration'),
        ('"1 min"', '"25 h"', 'window: "25 h" is out of range; 1 s to 86400 s'),
        ('window = "1 min"', "", "window: is missing"),
        ('"refuse"', '"shut"', '"shut" is not known; it may be allow or refuse'),
        ("burst", "bursts", 'did you mean "burst"'),
    ],
)
def test_a_fault_is_named(line: str, instead: str, fault: str) -> None:
    found = read(FULL.replace(line, instead, 1))[1]
    assert any(fault in each for each in found), found


def test_before_signing_in_there_is_a_browser_and_no_account() -> None:
    limit = msgspec.structs.replace(read(FULL)[0], act=LimitedAct.SIGN_IN, scope=LimitScope.DEVICE)
    assert list(contradictions(limit)) == []
    limit = msgspec.structs.replace(limit, scope=LimitScope.ACCOUNT)
    assert [found[1:] for found in contradictions(limit)] == [("scope",)]
    faults = rules.find_faults(msgspec.structs.replace(definition(), rate_limits=(limit,)))
    assert [fault.path for fault in faults] == [("rate_limit", 0, "scope")]


def test_names_are_slugs_and_stand_once() -> None:
    limit = read(FULL)[0]
    twice = msgspec.structs.replace(definition(), rate_limits=(limit, limit))
    assert [fault.path for fault in rules.find_faults(twice)] == [("rate_limit", 1, "name")]
    odd = msgspec.structs.replace(definition(), rate_limits=(msgspec.structs.replace(limit, name='a"b'),))
    assert [fault.path for fault in rules.find_faults(odd)] == [("rate_limit", 0, "name")]


def test_the_defaults_stand_where_nothing_is_said_and_contradict_nothing() -> None:
    assert rate_limits_of(None) == rate_limits_of(definition()) == DEFAULTS
    assert rate_limits_of(msgspec.structs.replace(definition(), rate_limits=())) == ()
    assert rules.find_faults(msgspec.structs.replace(definition(), rate_limits=DEFAULTS)) == []
    assert {limit.act for limit in DEFAULTS} == set(LimitedAct)


def test_a_version_from_before_there_were_rate_limits_keeps_its_hash() -> None:
    assert b"rate_limits" not in msgspec.json.encode(definition())
    stated = msgspec.structs.replace(definition(), rate_limits=(read(FULL)[0],))
    assert msgspec.json.decode(msgspec.json.encode(stated), type=CampaignDefinition) == stated
