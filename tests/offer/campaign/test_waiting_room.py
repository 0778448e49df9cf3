"""The table `[waiting_room]`: what it means, and how each fault in it is named."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.offer.campaign.test_definition import FESTIVAL, faults, line, read
from tests.offer.festivals import version
from tidegate.offer.campaign import rules
from tidegate.offer.campaign.contracts import (
    Audience,
    GuardedGoods,
    NumberSource,
    PublicNumber,
    QueueLane,
    WaitingRoom,
    Words,
    WorkAsked,
)
from tidegate.offer.campaign.terms import published_rules

ROOM = """
[waiting_room]
opens_at = "start-30m"
seals_at = "start-1m"
cap = 500
per_minute = 600
ramp = "2 min"
claim_window = "60 s"
goods = "flash"

[[waiting_room.lane]]
name = "members"
label = { zh = "会员", en = "Members" }
share = "30 %"
audience = "members"

[[waiting_room.lane]]
name = "everyone"
label = { zh = "所有人", en = "Everyone" }
share = "70 %"
"""
START = datetime(2027, 3, 20, 2, tzinfo=UTC)


def test_it_means_what_it_says() -> None:
    assert read(FESTIVAL + ROOM).waiting_room == WaitingRoom(
        opens_at=START - timedelta(minutes=30),
        seals_at=START - timedelta(minutes=1),
        cap=500,
        per_minute=600,
        ramp_seconds=120,
        claim_seconds=60,
        pass_seconds=600,
        purchases=1,
        per_network=20,
        goods=GuardedGoods.FLASH,
        lanes=(
            QueueLane(name="members", label=Words("会员", "Members"), share=30, audience=Audience.MEMBERS),
            QueueLane(name="everyone", label=Words("所有人", "Everyone"), share=70, audience=Audience.EVERYONE),
        ),
    )


def test_without_lanes_there_is_one_for_everyone() -> None:
    room = read(FESTIVAL + ROOM[: ROOM.index("[[waiting_room.lane]]")]).waiting_room
    assert room is not None
    assert [(lane.name, lane.share, lane.audience) for lane in room.lanes] == [("everyone", 100, Audience.EVERYONE)]


def test_a_festival_without_one_keeps_its_hash() -> None:
    """The checksum of versions that were published before waiting rooms existed still agrees."""
    assert b"waiting_room" not in rules.canonical(read())
    assert b"waiting_room" in rules.canonical(read(FESTIVAL + ROOM))


def test_a_waiting_room_that_says_nothing_of_the_slow_lane_keeps_its_hash_and_has_the_usual_share() -> None:
    festival = read(FESTIVAL + ROOM)
    assert festival.waiting_room is not None
    assert festival.waiting_room.slow_share == 5
    assert b"slow_share" not in rules.canonical(festival)
    assert b"beyond_network" not in rules.canonical(festival)


@pytest.mark.parametrize(("share", "states"), [("12 %", True), ("0 %", False)])
def test_the_published_rules_state_the_slow_lane_if_there_is_one(share: str, states: bool) -> None:
    text = FESTIVAL + ROOM.replace("cap = 500", f'cap = 500\nslow_share = "{share}"')
    [said] = [each for each in published_rules(version(read(text))).statements if "Shares of the lanes" in each.en]
    assert ("beside each 100 calls of the other lanes at most 12 are of it" in said.en) is states
    assert ("慢速通道最多放行 12 个" in said.zh) is states
    assert ("where its rank was" in said.en) is states


@pytest.mark.parametrize(
    ("keys", "en", "zh"),
    [
        (
            "",
            "at most 20: more of them stand behind all that are drawn",
            "不超过 20 个，超出的位置排在所有抽签位置之后",
        ),
        ("per_network = 40", "at most 40: more of them stand behind all", "不超过 40 个"),
        ('slow_share = "0 %"', "at most 20: more are not given", "不超过 20 个，超出的不再发放"),
        ('beyond_network = "refused"', "at most 20: more are not given", "不超过 20 个，超出的不再发放"),
        ("per_network = 0", "and an account that paid here before. ", "（曾在本店付款者）一个位置。看起来"),
    ],
)
def test_the_published_rules_state_what_one_person_and_one_network_may_hold(keys: str, en: str, zh: str) -> None:
    text = FESTIVAL + ROOM.replace("cap = 500", f"cap = 500\n{keys}")
    [said] = [each for each in published_rules(version(read(text))).statements if "Shares of the lanes" in each.en]
    assert "One place an account, a browser, and an account that paid here before." in said.en
    assert en in said.en
    assert zh in said.zh


@pytest.mark.parametrize(
    ("work", "asked", "en", "zh"),
    [
        (
            "",
            WorkAsked.SUSPECTS,
            "A visit that looks like a program's gets a place for a small puzzle",
            "看起来由程序发出",
        ),
        ("attack", WorkAsked.ATTACK, "While the shop is under attack every place costs", "遭受攻击期间"),
        ("always", WorkAsked.ALWAYS, "Every place costs a small puzzle", "每个位置都需先完成一道计算题"),
    ],
)
def test_the_published_rules_state_of_whom_work_is_asked(work: str, asked: WorkAsked, en: str, zh: str) -> None:
    festival = read(FESTIVAL + ROOM.replace("cap = 500", f'cap = 500\nwork = "{work}"' if work else "cap = 500"))
    assert festival.waiting_room is not None
    assert festival.waiting_room.work is asked
    assert (b'"work"' in rules.canonical(festival)) is bool(work)
    [said] = [each for each in published_rules(version(festival)).statements if "Shares of the lanes" in each.en]
    assert en in said.en
    assert zh in said.zh


def test_the_published_rules_state_the_shares() -> None:
    statements = [each.en for each in published_rules(version(read(FESTIVAL + ROOM))).statements]
    assert any(
        "Members 30 % (for members), Everyone 70 %" in each and "within 60 seconds" in each for each in statements
    )


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ('seals_at = "start-1m"', 'seals_at = "start"', "is not before the start of the sale"),
        ('opens_at = "start-30m"', 'opens_at = "start-1m"', "is not after the opening of the line"),
        ("cap = 500", "cap = 0", "0 is out of range; it may be 1 to 1000000"),
        ("cap = 500", 'cap = "many"', "is a text; a whole number is needed here"),
        ('ramp = "2 min"', 'ramp = "soon"', '"soon" is not a duration; write it like "90 s", "10 min" or "1 h"'),
        ('claim_window = "60 s"', 'claim_window = "2 h"', "7200 s is out of range; it may be 10 s to 3600 s"),
        ('share = "30 %"', 'share = "40 %"', "the shares of the lanes come to 110 %; together they are 100 %"),
        ('share = "30 %"', 'share = "a third"', '"a third" is not a whole percentage; write it like "30 %"'),
        ('name = "members"', 'name = "everyone"', 'lane "everyone" stands here twice'),
        (
            'share = "70 %"',
            'share = "70 %"\naudience = "new"',
            'no lane is for everyone; one needs audience = "everyone"',
        ),
        ("cap = 500", 'cap = 500\nslow_share = "21 %"', "21 is out of range; it may be 0 to 20"),
        ("cap = 500", 'cap = 500\nslow_share = "few"', '"few" is not a whole percentage; write it like "30 %"'),
        ("cap = 500", 'cap = 500\nbeyond_network = "away"', '"away" is not known; it may be behind or refused'),
        ("cap = 500", 'cap = 500\nwork = "alway"', 'work: "alway" is not known; did you mean "always"?'),
        ("cap = 500", 'cap = 500\nwork = "never"', '"never" is not known; it may be attack, suspects or always'),
        ("cap = 500", "cap = 500\nwork = true", "work: true is not known; it may be attack, suspects or always"),
        ('name = "members"', 'name = "slow"', "is the lane of places that look like a program's"),
        ("cap = 500", "capp = 500", 'is not known here; did you mean "cap"?'),
    ],
)
def test_each_fault_is_named_with_its_line(right: str, wrong: str, words: str) -> None:
    text = FESTIVAL + ROOM.replace(right, wrong)
    found = [fault for fault in faults(text) if words in fault]
    assert len(found) == 1
    named = int(found[0].split(":")[1])
    assert line("[waiting_room]", text) <= named <= text.count("\n")


def test_flash_goods_are_needed_to_stand_in_line_for_them() -> None:
    text = FESTIVAL + ROOM
    offers = "sku,kind,price,quota,per_buyer,coupons\nMUG-1,discount,39.00,2000,10,\n"
    assert any("nothing is on offer at a flash price" in fault for fault in faults(text, offers=offers))


NUMBER = """
[waiting_room.public_number]
drawn_at = "start-30s"
"""


def test_a_public_number_is_a_round_of_drand_unless_stated_otherwise() -> None:
    room = read(FESTIVAL + ROOM + NUMBER).waiting_room
    assert room is not None
    assert room.public_number == PublicNumber(
        source=NumberSource.DRAND,
        label=Words("drand 公共随机数", "drand public randomness"),
        drawn_at=START - timedelta(seconds=30),
        patience_seconds=30,
        chain="52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
        genesis_at=1_692_803_367,
        period_seconds=3,
    )
    assert b"public_number" not in rules.canonical(read(FESTIVAL + ROOM))
    statements = [each.en for each in published_rules(version(read(FESTIVAL + ROOM + NUMBER))).statements]
    assert any("drand public randomness (chain 52db9ba70e0cc0f6" in each for each in statements)


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ('"start-30s"', '"start-1m"', "is not after the sealing"),
        ('"start-30s"', '"start"', "is not before the start of the sale"),
        ('"start-30s"', '"start-30s"\npatience = "2 h"', "7200 s is out of range; it may be 0 s to 3600 s"),
        ('"start-30s"', '"start-30s"\nchain = "main"', '"main" is not the hash of a chain'),
        ('"start-30s"', f'"start-30s"\nchain = "{"ab" * 32}"', "this chain's public key is needed"),
        ('"start-30s"', f'"start-30s"\npublic_key = "{"ab" * 96}"', "is not the key of this chain"),
        ('"start-30s"', '"start-30s"\npublic_key = "mine"', '"mine" is not the public key of a chain'),
        ('"start-30s"', '"start-30s"\nperiod = "0 s"', "0 s is out of range; it may be 1 s to 3600 s"),
        ('"start-30s"', '"start-30s"\ngenesis = "start"', "the chain has no round by then"),
        ('"start-30s"', '"start-30s"\nsource = "stated"', "is missing; write both languages"),
        (
            '"start-30s"',
            '"start-30s"\nsource = "stated"\nlabel = { zh = "彩票", en = "Lottery" }\nperiod = "3 s"',
            'belongs to source = "drand"',
        ),
    ],
)
def test_each_fault_of_a_public_number_is_named(right: str, wrong: str, words: str) -> None:
    assert len([fault for fault in faults(FESTIVAL + ROOM + NUMBER.replace(right, wrong)) if words in fault]) == 1
