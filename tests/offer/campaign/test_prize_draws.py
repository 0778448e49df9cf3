"""`[[draw]]`: what it means, how each fault is named, how it is written back, and what the rules say of it."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.campaign.promotions_made import festival
from tests.offer.campaign.test_definition import FESTIVAL, faults, read
from tests.offer.campaign.test_writing import read_back
from tests.offer.festivals import START, version
from tidegate.offer.campaign.contracts import Draw, PhaseName, Prize, Words
from tidegate.offer.campaign.terms import published_rules
from tidegate.offer.campaign.writing import write_definition

DRAW = """
[[draw]]
name = "kettle"
label = { zh = "抽水壶", en = "Win a kettle" }
organiser = { zh = "潮闸", en = "Tidegate" }
redemption = { zh = "随订单寄出。", en = "Sent with the order." }
threshold = "99.00"
drawn_at = "start+3d2h"

[[draw.prize]]
name = { zh = "水壶", en = "Kettle" }
value = "199.00"
count = 3

[[draw.prize]]
name = { zh = "贴纸", en = "Sticker" }
value = "2.00"
count = 500
chance = "5 %"
"""
TEXT = FESTIVAL + DRAW


def test_it_means_what_it_says() -> None:
    definition = read(TEXT)
    burst = definition.phase(PhaseName.BURST)
    [draw] = definition.draws
    assert (draw.name, draw.threshold, draw.opens_at, draw.closes_at) == (
        "kettle", 9_900, burst.starts_at, burst.ends_at,
    )  # fmt: skip
    assert draw.drawn_at == burst.starts_at + timedelta(days=3, hours=2)
    assert draw.seals_at == burst.ends_at + timedelta(minutes=1)
    assert draw.prizes == (
        Prize(name=Words("水壶", "Kettle"), value=19_900, count=3),
        Prize(name=Words("贴纸", "Sticker"), value=200, count=500, chance=500),
    )


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ('name = "kettle"', 'name = "A kettle"', '"A kettle" is not a name; write small letters, digits and dashes'),
        ('value = "2.00"', 'value = "0.00"', "a prize is worth more than nothing; state its market price"),
        ("count = 3", "count = 0", "0 is out of range; it is 1 to 100000"),
        ('drawn_at = "start+3d2h"', 'drawn_at = "start+1d"', ": a minute after it closes"),
        ('drawn_at = "start+3d2h"', 'drawn_at = "start+99d"', "is after the end of the campaign"),
        ('drawn_at = "start+3d2h"', 'drawn_at = "start+3d2h"\ncloses_at = "start"', "is not after the opening"),
        ('threshold = "99.00"', "claim_days = 367", "367 is out of range; it may be 0 to 366"),
        ('organiser = { zh = "潮闸", en = "Tidegate" }\n', "", "is missing; write both languages"),
    ],
)
def test_each_fault_is_named(was: str, becomes: str, fault: str) -> None:
    [found] = faults(FESTIVAL + DRAW.replace(was, becomes, 1))
    assert fault in found


NUMBERED = DRAW.replace(
    "\n[[draw.prize]]", '\n[draw.public_number]\nsource = "drand"\ndrawn_at = "start+3d1h"\n\n[[draw.prize]]', 1
)


def test_a_public_number_is_drawn_between_the_sealing_and_the_draw() -> None:
    [draw] = read(FESTIVAL + NUMBERED).draws
    assert draw.public_number is not None
    assert draw.public_number.period_seconds == 3
    [late] = faults(FESTIVAL + NUMBERED.replace('"start+3d1h"', '"start+3d3h"'))
    assert "is not between the sealing" in late
    definition = read(FESTIVAL + NUMBERED)
    assert read_back(write_definition(definition)).draws == definition.draws


def test_another_chain_keeps_its_key() -> None:
    chain = f'source = "drand"\nchain = "{"ab" * 32}"\npublic_key = "{"cd" * 96}"'
    definition = read(FESTIVAL + NUMBERED.replace('source = "drand"', chain))
    [draw] = definition.draws
    assert draw.public_number is not None
    assert (draw.public_number.chain, draw.public_number.public_key) == ("ab" * 32, "cd" * 96)
    assert read_back(write_definition(definition)).draws == definition.draws


def test_a_draw_has_prizes_and_a_name_of_its_own() -> None:
    bare = DRAW[: DRAW.index("[[draw.prize]]")]
    [found] = faults(FESTIVAL + bare)
    assert "a draw has at least one [[draw.prize]]" in found
    [twice] = faults(TEXT + DRAW)
    assert 'draw "kettle" stands here twice' in twice


def test_the_published_rules_state_conditions_numbers_chances_and_organiser() -> None:
    rules = published_rules(version(read(TEXT)))
    [terms] = rules.draws
    said = " ".join(each.en for each in terms.words)
    for part in (
        "that comes to CN¥99.00 or more",
        "Kettle: 3 of them, CN¥199.00 each; every entry has the same chance.",
        "Sticker: each entry wins with a chance of 5 %, 500 at most, CN¥2.00 each.",
        "How prizes are given: Sent with the order.",
        "Organiser: Tidegate",
    ):
        assert part in said
    assert "每次机会中奖概率 5 %" in "".join(each.zh for each in terms.words)
    assert any(each.en.startswith("Prize draws:") for each in rules.statements)


def test_the_time_to_claim_a_prize_and_where_it_goes_are_stated_before_the_draw() -> None:
    definition = read(
        FESTIVAL + DRAW.replace('threshold = "99.00"', "claim_days = 30").replace("count = 3", "count = 3\nsent = true")
    )
    [draw] = definition.draws
    assert (draw.claim_days, [each.sent for each in draw.prizes]) == (30, [True, False])
    assert [draw.must_claim(place) for place in (0, 1)] == [True, True]
    assert draw.claim_until(START) == START + timedelta(days=30)
    [terms] = published_rules(version(definition)).draws
    said = [each.en for each in terms.words]
    assert (
        "Winners claim their prize on the page of the draws within 30 days of the drawing; one that is not claimed by "
        "then can be forfeited."
    ) in said
    assert "Sent to the address that is named when claiming: Kettle." in said
    assert any("30 天内" in each.zh and "视为放弃" in each.zh for each in terms.words)


def test_without_a_time_only_what_is_sent_is_claimed() -> None:
    [draw] = read(FESTIVAL + DRAW.replace("count = 3", "count = 3\nsent = true")).draws
    assert [draw.must_claim(place) for place in (0, 1)] == [True, False]
    assert draw.claim_until(START) is None


@given(
    st.lists(
        st.builds(
            Prize,
            name=st.just(Words("奖", "Prize")),
            value=st.integers(1, 5_000_000),
            count=st.integers(1, 100_000),
            chance=st.integers(0, 10_000),
            sent=st.booleans(),
        ),
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 10**6),
    st.integers(0, 366),
)
def test_it_is_written_back_as_it_is(prizes: list[Prize], threshold: int, claim_days: int) -> None:
    words = Words("文", "Text")
    draw = Draw(
        name="pots",
        label=words,
        organiser=words,
        redemption=words,
        opens_at=START,
        closes_at=START + timedelta(days=1),
        drawn_at=START + timedelta(days=2),
        prizes=tuple(prizes),
        threshold=threshold,
        claim_days=claim_days,
    )
    plain = festival(())
    shift = plain.phase(PhaseName.BURST).starts_at - START
    draw = msgspec.structs.replace(
        draw, opens_at=draw.opens_at + shift, closes_at=draw.closes_at + shift, drawn_at=draw.drawn_at + shift
    )
    definition = msgspec.structs.replace(plain, draws=(draw,))
    assert read_back(write_definition(definition)).draws == (draw,)
