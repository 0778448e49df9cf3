"""The table `[[promotion]]`: what it means, and how each fault in it is named with its line, field and words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given

from tests.offer.campaign.promotions_made import festival, in_company
from tests.offer.campaign.test_definition import FESTIVAL, TEMPLATE, faults, line, read
from tidegate.offer.campaign import rules
from tidegate.offer.campaign.commands import load_definition
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Audience,
    Bearer,
    Layer,
    Measure,
    NForM,
    NthPiece,
    PercentOff,
    PointsOff,
    Promotion,
    PromotionLimits,
    Selection,
    Step,
    Words,
)
from tidegate.offer.campaign.promotions import PRESETS

START = datetime(2027, 3, 20, 2, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[3] / "examples" / "promotions" / "festival.toml"
HEAD = '[[promotion]]\nid = "one"\nlabel = { zh = "优惠", en = "Reduction" }\n'
FULL = """
[[promotion]]
id = "kitchen"
label = { zh = "厨房满减", en = "Kitchen reductions" }
kind = "amount_off"
steps = [
    { reach = "200.00", off = "20.00" },
    { reach = "400.00", off = "60.00" },
]
layer = "platform"
goods = { categories = ["kitchen"], but = ["MUG-1"] }
starts_at = "start+1h"
ends_at = "start+1d"
audience = ["new", "members"]
tiers = ["gold"]
segments = ["parents"]
when = "points >= 3"
when_words = { zh = "用三个积分", en = "three points spent" }
facts = ["points"]
group = "reductions"
priority = 7
stacks_with = ["other"]
coupon = "SPRING20"
limits = { per_order = 1, per_account = 2, per_period = 1, period_days = 2, total = 100, budget = "5000.00" }
bearers = [{ name = "platform", share = "60 %" }, { name = "channel:card", share = "40 %" }]

[[promotion]]
id = "other"
label = { zh = "其他", en = "Other" }
kind = "包邮"
"""


def promotion(body: str) -> Promotion:
    return read(f"{FESTIVAL}\n{HEAD}{body}").promotions[0]


def faulty(body: str) -> list[str]:
    """The faults of a promotion, each from its key on."""
    text = f"{FESTIVAL}\n{HEAD}{body}"
    found = [each.partition(": ") for each in faults(text)]
    assert all(int(where.partition(":")[2]) >= line("[[promotion]]", text) for where, _, _ in found)
    return [said.removeprefix("promotion.") for _, _, said in found]


def test_it_means_what_it_says() -> None:
    assert read(FESTIVAL + FULL).promotions[0] == Promotion(
        id="kitchen",
        label=Words("厨房满减", "Kitchen reductions"),
        benefit=AmountOff(steps=(Step(20_000, 2_000), Step(40_000, 6_000))),
        layer=Layer.PLATFORM,
        goods=Selection(categories=("kitchen",), but=("MUG-1",)),
        starts_at=START + timedelta(hours=1),
        ends_at=START + timedelta(days=1),
        audience=(Audience.NEW, Audience.MEMBERS),
        tiers=("gold",),
        segments=("parents",),
        condition="points >= 3",
        condition_words=Words("用三个积分", "three points spent"),
        facts=("points",),
        group="reductions",
        priority=7,
        stacks_with=("other",),
        coupon="SPRING20",
        limits=PromotionLimits(per_order=1, per_account=2, per_period=1, period_days=2, total=100, budget=500_000),
        bearers=(Bearer("platform", 6_000), Bearer("channel:card", 4_000)),
    )


def test_a_preset_word_brings_what_its_kind_usually_has() -> None:
    once = AmountOff(steps=(Step(30_000, 5_000),))
    every = AmountOff(steps=once.steps, every=True, cap=50_000)
    across = promotion('kind = "跨店满减"\nreach = "300.00"\noff = "50.00"\ncap = "500.00"')
    assert (across.benefit, across.layer) == (every, Layer.PLATFORM)
    assert promotion('kind = "满减"\nreach = "300.00"\noff = "50.00"').benefit == once
    assert promotion('kind = "每满减"\nevery = false\nreach = "300.00"\noff = "50.00"').benefit == once
    assert promotion('kind = "第二件半价"').benefit == NthPiece(nth=2, off=5_000)
    assert promotion('kind = "第二件半价"\noff = "100 %"').benefit == NthPiece(nth=2, off=10_000)
    assert promotion('kind = "买一送一"').benefit == NForM(take=2, pay=1)
    assert promotion('kind = "N件M折"\npieces = 2\noff = "10 %"').benefit == PercentOff(
        steps=(Step(2, 1_000),), measure=Measure.PIECES
    )
    points = promotion('kind = "积分"\npoints = 1000\npays = "1.00"\nshare = "20 %"')
    assert (points.benefit, points.layer) == (PointsOff(points=10, share=2_000), Layer.POINTS)
    assert promotion('kind = "包邮"').layer is Layer.SHIPPING


def test_the_promotions_in_the_template_have_no_faults() -> None:
    begun = FESTIVAL.index("# [[promotion]]")
    rest = FESTIVAL[begun:].partition("\n\n")
    shown = FESTIVAL[:begun] + "\n".join(each.removeprefix("#").strip() for each in rest[0].splitlines()) + "\n\n"
    assert [each.id for each in read(shown + rest[2]).promotions] == ["every-150", "second-mug", "kettle-slots"]


def test_the_example_shows_every_preset_kind() -> None:
    kinds = {PRESETS[word].kind for word in PRESETS}
    shown = load_definition(EXAMPLE, now=START).promotions
    assert {str(each.benefit.__struct_config__.tag) for each in shown} == kinds


def test_a_festival_without_promotions_keeps_its_hash() -> None:
    """The checksum of versions that were published before promotions existed still agrees."""
    plain = rules.canonical(read())
    assert not any(key in plain for key in (b"promotions", b'"shop"', b"floor", b'"cost"'))
    assert b"promotions" in rules.canonical(read(FESTIVAL + FULL))


@given(in_company())
def test_what_has_no_fault_gets_none(made: tuple[Promotion, ...]) -> None:
    assert rules.find_faults(festival(made)) == []


def test_goods_have_a_shop_a_floor_and_a_cost_in_both_forms() -> None:
    csv = TEMPLATE["goods.csv"].splitlines()
    with_costs = "\n".join(
        [csv[0] + ",shop,floor,cost", csv[1] + ",north,50.00,40.00", *(each + ",,," for each in csv[2:])]
    )
    kettle, other, _ = read(goods=with_costs).goods
    assert (kettle.shop, kettle.floor, kettle.cost) == ("north", 5_000, 4_000)
    assert (other.shop, other.floor, other.cost) == ("", 0, 0)
    dear = with_costs.replace("50.00,40.00", "99.01,40.00")
    assert faults(goods=dear) == ["offers.csv:2: offer.price: CN¥99.00 is below the floor of KETTLE-1, CN¥99.01"]
    assert faults(goods=with_costs.replace("north", "The North")) == [
        'goods.csv:2: goods.shop: "The North" is not a shop; write small letters, digits and dashes'
    ]


STEP = 'kind = "amount_off"\nreach = "300.00"\noff = "50.00"\n'
THREE_STEPS = """steps = [
    { reach = "9.00", off = "2.00" },
    { reach = "9.00", off = "3.00" },
    { reach = "12.00", off = "3.00" },
]"""
PRICES = 'prices = [{ sku = "MUG-1", price = "39.00" }, { sku = "MUG-9", price = "1.00" }]'
OUTSIDE = (
    "starts_at: 2027-03-20 01:00:00 UTC is outside of the sale, 2027-03-20 02:00:00 UTC to 2027-03-23 02:00:00 UTC"
)
KNOWN = "audience, points, segments and tier"
CASES: list[tuple[str, list[str]]] = [
    ("", ["kind: is missing; a text in quotes is needed here"]),
    ('kind = "amout_off"\nanything = 3', ['kind: "amout_off" is not known; did you mean "amount_off"?']),
    (
        'kind = "amount_off"\nreach = 300\noff = "50.00"',
        ['reach: is a bare number; write money in quotes, like "300.00", so that no digit is lost'],
    ),
    ('kind = "amount_off"\noff = "50.00"', ['reach: is missing; write reach = "300.00", or pieces = 2']),
    (STEP.replace("50.00", "300.00"), ["off: CN¥300.00 is not less than what has to be reached, CN¥300.00"]),
    (STEP + 'cap = "90.00"', ["cap: goes with every = true; without it the highest step is the most"]),
    (STEP + 'every = true\ncap = "9.00"', ["cap: CN¥9.00 is less than one step takes off"]),
    (STEP + "pieces = 3", ["pieces: stands beside reach; write one of them"]),
    (STEP + "of = 3", ['of: is not known here; did you mean "off"?']),
    (
        'kind = "满减"\nevery = true\n' + THREE_STEPS,
        [
            "steps.reach: does not reach more than the step before; steps rise",
            "steps.off: takes off no more than the step before; steps rise",
            "every: there are 3 steps; again and again goes with a single one",
        ],
    ),
    (
        'kind = "满折"\nsteps = [{ reach = "9.00", off = "20 %" }, { pieces = 10, off = "30 %" }]',
        ["steps: some reach an amount and some a number of pieces; write one of them in all"],
    ),
    ('kind = "满折"\npieces = 2\noff = "100 %"', ["off: is more than 0 % and less than 100 %"]),
    ('kind = "满折"\npieces = 2\noff = 20', ["off: is a number; a text in quotes is needed here"]),
    (
        'kind = "买N付M"\ntake = 3\npay = 3',
        ["pay: 3 paid of 3 taken: nothing is free; pay for fewer than are taken"],
    ),
    ('kind = "套餐"\nparts = [{ sku = "MUG-1" }]\nprice = "9.00"', ["parts: a bundle has at least two units"]),
    (
        'kind = "套餐"\nparts = [{ sku = "MUG-1", quantity = 2 }]\nprice = "78.00"',
        ["price: CN¥78.00 is not less than the parts cost alone, CN¥78.00"],
    ),
    (
        'kind = "会员价"\naudience = ["members"]\n' + PRICES,
        [
            "prices.price: CN¥39.00 is not below the price for everyone, CN¥39.00",
            'prices.sku: "MUG-9" is not on offer; did you mean "MUG-1"?',
        ],
    ),
    (
        'kind = "会员价"\nprices = [{ sku = "MUG-1", price = "30.00" }]',
        ['audience: nobody is named; write audience = ["members"], or tiers'],
    ),
    ('kind = "赠品"\nreach = "99.00"\nsku = "TOY"', ['sku: there are no goods with the SKU "TOY"']),
    (
        'kind = "积分"\npoints = 50\npays = "1.00"\nshare = "20 %"',
        [
            "points: 50 points do not divide evenly by what they pay; write a multiple of 100",
        ],
    ),
    ('kind = "包邮"\nlayer = "shop"', ['layer: free_shipping is always in the layer "shipping"; leave layer out']),
    (STEP + 'layer = "points"', ['layer: amount_off cannot be in the layer "points"; write shop or platform']),
    (
        STEP + 'goods = { skus = ["MUG-2"], categories = ["kitchens"], brands = ["No"], shops = ["north"] }',
        [
            'goods.skus: there are no goods with the SKU "MUG-2"; did you mean "MUG-1"?',
            'goods.categories: there is no category "kitchens"; did you mean "kitchen"?',
            'goods.brands: there is no brand "No"',
            'goods.shops: there is no shop "north"',
            "goods: no product on offer is among these",
        ],
    ),
    (
        STEP + 'starts_at = "start-1h"',
        [OUTSIDE],
    ),
    (
        STEP + 'starts_at = "start+2h"\nends_at = "start+1h"',
        ["ends_at: 2027-03-20 03:00:00 UTC is not after the start, 2027-03-20 04:00:00 UTC"],
    ),
    (STEP + 'coupon = "SPRING2"', ['coupon: there is no coupon "SPRING2"; did you mean "SPRING20"?']),
    (STEP + 'stacks_with = ["two"]', ['stacks_with: there is no promotion and no group "two"']),
    (STEP + 'stacks_with = ["one"]', ["stacks_with: a promotion is not beside itself on a line; leave it out"]),
    (STEP + 'audience = ["everyone", "new"]', ["audience: everyone is everyone; leave the others out"]),
    (STEP + 'tiers = ["Gold", "a", "a"]', [
        'tiers: "Gold" is not a name; write small letters, digits and dashes', 'tiers: "a" stands here twice',
    ]),
    (
        STEP + 'bearers = [{ name = "shop", share = "60 %" }, { name = "us", share = "30.5 %" }]',
        [
            "bearers: the shares come to 90.5 %; together they are 100 %",
            'bearers.name: "us" is no bearer; write shop, platform or channel:NAME',
        ],
    ),
    (
        STEP + "limits = { per_period = 1 }",
        ["limits.period_days: is missing; per_period and period_days stand together"],
    ),
    (STEP + "limits = { total = 5, per_account = 6 }", ["limits.per_account: 6 is more than the total of 5"]),
    (
        STEP + 'limits = { budget = "49.99" }',
        ["limits.budget: CN¥49.99 does not pay for a single use, CN¥50.00"],
    ),
    (STEP + 'facts = ["a"]', ['facts: declared without a condition; write when = "..." or leave them out']),
    (
        STEP + 'when = "points > 3"',
        [
            'facts: the condition asks for "points"; declare it here, facts = ["points"]',
            'when_words: is missing; the published rules state the condition, { zh = "...", en = "..." }',
        ],
    ),
    (
        STEP + 'when = "orders > 3 && teir == \\"gold\\""\nfacts = ["orders"]\nwhen_words = { zh = "好", en = "good" }',
        [
            f'facts: nobody knows "orders"; a condition may ask for {KNOWN}',
            f'when: nobody knows "teir"; a condition may ask for {KNOWN}; did you mean "tier"?',
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), CASES, ids=[str(place) for place in range(len(CASES))])
def test_each_fault_is_named_where_it_stands(body: str, expected: list[str]) -> None:
    assert sorted(faulty(body)) == sorted(expected)


WORDS = 'when_words = { zh = "条件", en = "condition" }\n'


@pytest.mark.parametrize(
    ("condition", "facts", "said"),
    [
        ("points >=", '["points"]', "when: at character 10 of the condition: mismatched input the end"),
        ("points > 1 and news", '["points"]', "when: at character 12 of the condition: mismatched input 'and'"),
        ("1 + 1 == 2", "[]", "when: asks for no fact, so that it is the same for every order; leave it out"),
        ("fetch(points)", '["points"]', 'when: there is no function "fetch" here'),
        ("points > 1", '["points", "news"]', 'facts: the condition does not ask for "news"; leave it out'),
    ],
)
def test_a_fault_in_a_condition_is_named_with_its_place(condition: str, facts: str, said: str) -> None:
    assert faulty(f'{STEP}{WORDS}when = "{condition}"\nfacts = {facts}') == [said]


def test_a_fault_stands_at_the_line_of_its_step_and_key() -> None:
    text = FESTIVAL + FULL.replace('off = "60.00" }', 'off = "400.00" }').replace("60 %", "70 %")
    lines = [line(key, text) for key in ('off = "400.00"', "bearers = ")]
    assert [each.partition(": ")[0] for each in faults(text)] == [f"festival.toml:{each}" for each in lines]


def test_promotions_name_each_other_without_contradiction() -> None:
    two = FULL.replace('kind = "包邮"', 'kind = "包邮"\nstacks_with = []')
    [fault] = faults(FESTIVAL + two)
    assert fault.startswith(f"festival.toml:{line('stacks_with', FESTIVAL + two)}: promotion.stacks_with: ")
    assert fault.endswith('"other" names this promotion in its own stacks_with neither by id nor by group')
    assert read(FESTIVAL + two.replace("stacks_with = []", 'stacks_with = ["reductions"]')).promotions
    same = FULL.replace('kind = "包邮"', 'kind = "包邮"\ngroup = "reductions"')
    assert '"other" is in the same group, and of a group one applies to a line' in faults(FESTIVAL + same)[0]
    twice = FULL.replace('id = "other"', 'id = "kitchen"').replace('stacks_with = ["other"]', "")
    assert 'promotion "kitchen" stands here twice; it is entry 1 already' in faults(FESTIVAL + twice)[0]
