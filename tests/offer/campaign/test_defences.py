"""The defences of a campaign file: read, checked, defaulted; and versions from before they existed keep their hash."""

import tomllib
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tests.offer.festivals import definition
from tidegate.offer.campaign import rules
from tidegate.offer.campaign.contracts import CampaignDefinition, Defence, DefenceRule, Signal, Threshold
from tidegate.offer.campaign.defences import DEFAULTS, contradictions, defences_of, read_defence
from tidegate.offer.campaign.reading import Notes, Table

FULL = """
name = "scrapers"
starts = "lower_limits"
trigger = { signal = "requests", start_at = 2000, stop_below = 800 }
second = { signal = "failures", start_at = "20 %" }
window = "30 s"
minimum_stay = "5 min"
expires = "1 h"
factor = "40 %"
"""


def read(text: str) -> tuple[DefenceRule, list[str]]:
    """The defence that a table describes, and its faults."""
    notes = Notes()
    raw: dict[str, Any] = tomllib.loads(text)
    rule = read_defence(Table(notes, ("defence", 0), raw))
    return rule, [str(fault) for fault in notes.faults]


def test_a_full_one() -> None:
    assert read(FULL) == (
        DefenceRule(
            name="scrapers",
            starts=Defence.LOWER_LIMITS,
            trigger=Threshold(signal=Signal.REQUESTS, start_at=2_000, stop_below=800),
            second=Threshold(signal=Signal.FAILURES, start_at=2_000, stop_below=1_000),
            window_seconds=30,
            stay_seconds=300,
            expiry_seconds=3_600,
            factor=4_000,
        ),
        [],
    )


@pytest.mark.parametrize(
    ("line", "instead", "fault"),
    [
        ('starts = "lower_limits"', 'starts = "work_for_al"', 'did you mean "work_for_all"'),
        ('starts = "lower_limits"', "", "starts: is missing; write work_for_all, lower_limits, static_only, hook"),
        ('"20 %"', '"some"', 'start_at: "some" is not a percentage'),
        ('"20 %"', "20", "start_at: is a number; a text in quotes is needed here"),
        ("2000", '"2000"', "start_at: is a text; a whole number is needed here"),
        ("2000", "0", "start_at: is nothing; a threshold is more than that"),
        ('"requests"', '"rain"', '"rain" is not known; it may be requests, failures'),
        ('signal = "requests", ', "", "trigger.signal: is missing"),
        ('"30 s"', '"2 min"', 'window: "2 min" is out of range; 5 s to 60 s'),
        ('"5 min"', '"500 ms"', 'minimum_stay: "500 ms" is too fine; whole seconds are counted here'),
        ('"40 %"', '"0 %"', "factor: is out of range; it may be 1 % to 100 %"),
        ('name = "scrapers"', "nam = 1", "nam: is not known here"),
    ],
)
def test_a_fault_is_named(line: str, instead: str, fault: str) -> None:
    assert any(fault in found for found in read(FULL.replace(line, instead, 1))[1])


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"second": Threshold(signal=Signal.REQUESTS, start_at=9, stop_below=2)}, ("second", "signal")),
        ({"trigger": Threshold(signal=Signal.REQUESTS, start_at=9, stop_below=9)}, ("trigger", "stop_below")),
        ({"second": Threshold(signal=Signal.FAILURES, start_at=10_001, stop_below=9)}, ("second", "start_at")),
        ({"expiry_seconds": 200}, ("expires",)),
        ({"factor": 10_000}, ("factor",)),
        ({"starts": Defence.HOOK}, ("factor",)),
    ],
)
def test_a_contradiction_is_named(changes: dict[str, Any], path: tuple[str, ...]) -> None:
    rule = msgspec.structs.replace(read(FULL)[0], **changes)
    assert [found[1:] for found in contradictions(rule)] == [path]
    faults = rules.find_faults(msgspec.structs.replace(definition(), defences=(rule,)))
    assert [fault.path for fault in faults] == [("defence", 0, *path)]


def test_two_of_one_name_are_a_fault() -> None:
    rule = read(FULL)[0]
    faults = rules.find_faults(msgspec.structs.replace(definition(), defences=(rule, rule)))
    assert [fault.path for fault in faults] == [("defence", 1, "name")]


def test_the_defaults_stand_unless_the_file_says_something() -> None:
    assert defences_of(definition()) == DEFAULTS
    assert defences_of(msgspec.structs.replace(definition(), defences=())) == ()
    assert {rule.starts for rule in DEFAULTS} == {Defence.WORK_FOR_ALL, Defence.LOWER_LIMITS, Defence.STATIC_ONLY}
    assert rules.find_faults(msgspec.structs.replace(definition(), defences=DEFAULTS)) == []


def test_a_version_from_before_defences_keeps_its_hash() -> None:
    # The whole text is pinned: a field added without a default, or not left out, would change published hashes.
    content = rules.canonical(definition())
    assert b"defences" not in content
    assert rules.content_hash(content) == "f9f8c2fef92fa69749951e243ebd00cf15f4c6e50873c5b716d085c1cb6daedb"
    kept = msgspec.json.decode(content, type=CampaignDefinition)
    assert rules.canonical(kept) == content
    assert kept.phases[0].starts_at < datetime(2027, 1, 1, tzinfo=UTC)
