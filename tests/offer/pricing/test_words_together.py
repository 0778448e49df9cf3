"""The published words and the engine agree where several things meet: coupons beside promotions, what excludes what,
limits of orders and money, shipping and points, group buys. What is expected is read back from the words alone."""

import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations
from typing import NamedTuple
from uuid import UUID

import msgspec
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from tests.offer.festivals import START, coupon, definition, goods, offer, version
from tests.offer.pricing.sentences import Reading, fen, read_chinese, read_english, window
from tests.offer.promotions import amount_off, entry, festival, promotion
from tidegate.base.errors import Refusal
from tidegate.offer.campaign.benefit_terms import Wording
from tidegate.offer.campaign.contracts import (
    CampaignDefinition,
    FreeShipping,
    GroupBuy,
    Layer,
    PhaseName,
    PointsOff,
    Promotion,
    PromotionLimits,
    Shipping,
    Words,
)
from tidegate.offer.campaign.promotion_terms import PromotionTerms, promotion_terms
from tidegate.offer.campaign.terms import coupon_terms, group_buy_terms, statements
from tidegate.offer.pricing.contracts import Cart, CartLine, CounterUse, Facts, PricedOrder, RuleSet
from tidegate.offer.pricing.grouped import compile_group_rules
from tidegate.offer.pricing.rules import Counters, compile_rules, explain, price_order

PRICE = 5_000
MONEY = r"(?:CN)?¥[\d,]+\.\d\d"
OFFS = st.integers(1, 90).map(lambda tens: 10 * tens)
"""Whole tens: the search for the best combination may stop two minor units before it (decision 24)."""
STEPS = {
    "en": ("on goods and within a shop", "across shops", "shipping", "points"),
    "zh": ("商品和店铺优惠", "跨店优惠", "运费", "积分"),
}


def said(terms: PromotionTerms, language: str) -> list[str]:
    return [each.of(language) for each in terms.words]


class Read(NamedTuple):
    """What the words of one promotion say: its benefit, its layer, and which labels it goes with."""

    label: str
    reading: Reading
    is_shops: bool
    never_with: frozenset[str]
    only_with: frozenset[str] | None
    no_coupon: bool


def read(terms: PromotionTerms, language: str) -> Read:
    words = said(terms, language)
    never, only, alone, coupons, shops, reader = {
        "en": (
            "Not on the same goods as: ",
            "On the same goods only together with: ",
            "On the same goods with no other promotion.",
            "On the same goods no coupon takes anything off.",
            "Reckoned on goods or within a shop, before what applies across shops.",
            read_english,
        ),
        "zh": (
            "同一件商品上不与以下优惠同享：",
            "同一件商品上只与以下优惠同享：",
            "同一件商品上不与任何其他优惠同享。",
            "同一件商品上优惠券也不减免。",
            "按商品或店铺计算，在跨店优惠之前。",
            read_chinese,
        ),
    }[language]
    named = [_labels(words, begin, language) for begin in (never, only)]
    assert named[0] is None or named[0]
    return Read(
        terms.label.of(language),
        reader(words[0]),
        shops in words,
        named[0] or frozenset(),
        frozenset() if alone in words else named[1],
        coupons in words,
    )


def _labels(words: Sequence[str], begin: str, language: str) -> frozenset[str] | None:
    found = next((each.removeprefix(begin).rstrip("。.") for each in words if each.startswith(begin)), None)
    return None if found is None else frozenset(found.split(", " if language == "en" else "、"))


def go_together(reads: Sequence[Read]) -> bool:
    """Whether the words let all of these take something off the same goods."""
    return all(
        other.label not in one.never_with and (one.only_with is None or other.label in one.only_with)
        for one in reads
        for other in reads
        if one is not other
    )


def off_of(reading: Reading, base: int) -> int:
    """What steps by amount take off: the highest that is reached."""
    return max((off for what, off in reading.offs if base >= what.amount), default=0)


def least(total: int, reads: Sequence[Read], coupon_said: Reading | None) -> int:
    """The least to pay for goods by the words: of all combinations, each step from what the one before left."""
    costs = []
    for count in range(len(reads) + 1):
        for chosen in combinations(reads, count):
            if not go_together(chosen):
                continue
            after_shops = total - sum(off_of(each.reading, total) for each in chosen if each.is_shops)
            across = sum(off_of(each.reading, after_shops) for each in chosen if not each.is_shops)
            costs.append(after_shops - across)
            if coupon_said is not None and not any(each.no_coupon for each in chosen):
                costs.append(after_shops - across - off_of(coupon_said, after_shops))
    return min(costs)


@st.composite
def companies(draw: st.DrawFn) -> list[Promotion]:
    """Three reductions of the same goods, with groups, layers, priorities, and lists of what they go with."""
    grouped = [draw(st.booleans()) for _ in range(3)]
    restrictive = draw(st.sampled_from([None, 0, 1, 2]))
    made = []
    for place in range(3):
        others = [each for each in range(3) if each != place and not (grouped[each] and grouped[place])]
        named = draw(st.sets(st.sampled_from(others))) if others and place == restrictive else set[int]()
        made.append(
            promotion(
                f"p{place}",
                amount_off(draw(st.integers(1_000, 20_000)), draw(OFFS)),
                layer=draw(st.sampled_from([Layer.SHOP, Layer.PLATFORM])),
                group="one" if grouped[place] else "",
                priority=draw(st.integers(0, 9)),
                stacks_with=tuple(f"p{each}" for each in sorted(named)) if place == restrictive else None,
            )
        )
    return made


def read_coupon(words: Words) -> tuple[Reading, Reading]:
    """What the words of a coupon say, in Chinese and in English, as a reduction from a threshold on."""
    english = re.search(rf": ({MONEY}) off from ({MONEY}) of goods that take coupons", words.en)
    chinese = re.search(rf"：可用券商品满 ({MONEY}) 减 ({MONEY})", words.zh)
    assert english
    assert chinese
    return (
        read_chinese(f"满 {chinese[1]} 减 {chinese[2]}，一个订单减一次。"),
        read_english(f"{english[1]} off from {english[2]}, once an order."),
    )


def bought(rules: RuleSet, units: int, facts: Facts, code: str | None = None) -> PricedOrder:
    return price_order(rules, Cart((CartLine("A", units),), code), facts)


@settings(max_examples=300, deadline=None)
@given(companies(), st.integers(1_000, 20_000), OFFS, st.integers(1, 6))
def test_promotions_and_a_coupon_take_off_together_what_the_words_say(
    made: list[Promotion], threshold: int, off: int, units: int
) -> None:
    definition_made = festival(
        {"A": PRICE}, made, coupons=[coupon("TIDE50", threshold, off)], shipping=Shipping(fee=0, free_from=None)
    )
    terms = promotion_terms(definition_made, Wording(definition_made))
    english, chinese = ([read(each, language) for each in terms] for language in ("en", "zh"))
    assert [(each[1:3], each.only_with is None, each.no_coupon) for each in english] == [
        (each[1:3], each.only_with is None, each.no_coupon) for each in chinese
    ]
    coupon_said, in_english = read_coupon(coupon_terms(definition_made.coupons[0], definition_made).words)
    assert coupon_said == in_english
    order_said = statements(version(definition_made))
    assert "after the reductions on goods and within a shop, and before those across shops" in order_said["coupons"].en
    assert "在商品和店铺优惠之后、跨店优惠之前" in order_said["coupons"].zh

    rules, facts = compile_rules(version(definition_made)), Facts(now=START)
    without = least(PRICE * units, english, None)
    assert bought(rules, units, facts).total == without
    with_coupon = least(PRICE * units, english, coupon_said)
    assert with_coupon == least(PRICE * units, chinese, coupon_said)
    event("the coupon saves" if with_coupon < without else "the coupon saves nothing")
    if with_coupon < without:
        assert bought(rules, units, facts, "TIDE50").total == with_coupon
    else:
        assert "An order that would cost no less with it is not taken with it" in order_said["coupons"].en
        assert "用券后应付金额不减少的订单不收券" in order_said["coupons"].zh
        with pytest.raises(Refusal):
            bought(rules, units, facts, "TIDE50")


@given(st.integers(100, 20_000), OFFS, st.integers(1, 6))
def test_without_promotions_a_coupon_counts_the_offer_prices(threshold: int, off: int, units: int) -> None:
    made = festival(
        {"A": PRICE}, [], coupons=[coupon("TIDE50", threshold, off)], shipping=Shipping(fee=0, free_from=None)
    )
    stated = statements(version(made))["coupons"]
    assert "counts the offer prices of goods that take coupons" in stated.en
    assert "门槛按可用券商品的活动价计算" in stated.zh
    rules, (reading, _) = compile_rules(version(made)), read_coupon(coupon_terms(made.coupons[0], made).words)
    expected = off_of(reading, PRICE * units)
    if expected:
        assert bought(rules, units, Facts(), "TIDE50").total == PRICE * units - expected
    else:
        with pytest.raises(Refusal):
            bought(rules, units, Facts(), "TIDE50")


def counts(terms: PromotionTerms) -> dict[str, tuple[int, ...]]:
    """The limits of orders and money that the words state, the same in both languages."""
    english, chinese = (" ".join(said(terms, language)) for language in ("en", "zh"))
    patterns = {
        "total": (r"(\d+) orders? in all at most", r"共限 (\d+) 个订单"),
        "per_account": (r"(\d+) orders? for each account at most", r"(?<!天，)每人限 (\d+) 个订单"),
        "per_period": (r"(\d+) orders? for each account in every (\d+) days", r"每 (\d+) 天，每人限 (\d+) 个订单"),
    }
    found = {}
    for name, (one, other) in patterns.items():
        if match := re.search(one, english):
            same = re.search(other, chinese)
            assert same
            found[name] = tuple(map(int, match.groups()))
            assert sorted(found[name]) == sorted(map(int, same.groups()))
    return found


class Till:
    """Takes orders one after the other, as the lane does: each uses its counters, or is priced without what is gone."""

    def __init__(self, made: CampaignDefinition) -> None:
        self._rules = compile_rules(version(made))
        self._used: dict[str, int] = {}

    def take(self, buyer: int, seconds: int, since: Facts) -> bool:
        """Whether the promotion applies to one more order of this buyer, so many seconds after `since`."""
        assert since.now
        facts = Facts(buyer=UUID(int=buyer), now=since.now + timedelta(seconds=seconds))
        order = bought(self._rules, 1, facts)
        counters = Counters({use.key: self._used.get(use.key, 0) for use in order.counters}, missing=frozenset())
        if counters.try_use(order.counters) is not None:
            return False
        for use in order.counters:
            self._used[use.key] = self._used.get(use.key, 0) + use.amount
        return bool(order.discount_total)


@settings(deadline=None)
@given(
    st.integers(0, 5), st.integers(0, 4), st.integers(0, 3), st.integers(1, 2), st.none() | st.integers(0, 5 * 86_400)
)
def test_limits_of_orders_hold_as_often_and_from_when_the_words_say(
    total: int, per_account: int, per_period: int, days: int, starts: int | None
) -> None:
    limits = PromotionLimits(
        total=total, per_account=per_account, per_period=per_period, period_days=days if per_period else 0
    )
    starts_at = None if starts is None else START + timedelta(seconds=starts)
    made = festival({"A": PRICE}, [promotion("p", amount_off(100, 50), limits=limits, starts_at=starts_at)])
    [terms] = promotion_terms(made, Wording(made))
    stated = counts(terms)
    whole = made.phase(PhaseName.BURST).starts_at
    begins = (window(" ".join(said(terms, "en"))) or [whole])[0]
    if per_period:
        since = "from the start of the promotion" if starts_at else "from the start of the sale"
        assert any(since in each for each in said(terms, "en"))
        assert any(each.startswith("自本优惠开始起" if starts_at else "自开售起") for each in said(terms, "zh"))
    till, facts, many = Till(made), Facts(now=begins), 7
    length = stated["per_period"][1] * 86_400 if per_period else 86_400
    left = stated.get("total", (many * 9,))[0]
    for buyer in (1, 2):
        mine = stated.get("per_account", (many * 9,))[0]
        for seconds in (0, length - 1, length):  # the last moment of the first period and the first of the second
            taken = sum(till.take(buyer, seconds, facts) for _ in range(many))
            in_period = stated.get("per_period", (many, 0))[0]
            if seconds == length - 1 and per_period:
                in_period = 0  # it is the same period still
            expected = min(many, in_period, mine, left)
            assert taken == expected, (buyer, seconds)
            mine, left = mine - taken, left - taken


@given(st.integers(50, 5_000), st.integers(1, 50), st.integers(0, 5_000))
def test_a_budget_pays_whole_reductions_only_as_the_words_say(budget: int, off: int, used: int) -> None:
    made = festival({"A": PRICE}, [promotion("p", amount_off(100, off), limits=PromotionLimits(budget=budget))])
    [terms] = promotion_terms(made, Wording(made))
    english = re.search(rf"At most ({MONEY}) are taken off in all; an order of which more", " ".join(said(terms, "en")))
    chinese = re.search(rf"优惠总额 ({MONEY})；余额不足", " ".join(said(terms, "zh")))
    assert english
    assert chinese
    assert fen(english[1]) == fen(chinese[1])
    rules = compile_rules(version(made))
    [use] = bought(rules, 1, Facts(now=START)).counters
    assert use == CounterUse(use.key, off, fen(english[1]))
    remaining = max(fen(english[1]) - used, 0)
    order = bought(rules, 1, Facts(now=START, left={use.key: remaining}))
    assert order.discount_total == (off if off <= remaining else 0)


@given(st.integers(1, 20_000), OFFS, st.integers(0, 30_000), st.integers(1, 6), st.integers(1, 10_000), st.booleans())
def test_shipping_is_settled_before_points_as_the_words_say(
    free_from: int, off: int, points: int, units: int, share: int, frees: bool
) -> None:
    listed = [
        promotion("s", amount_off(1_000, off)),
        promotion("points", PointsOff(points=1, share=share), layer=Layer.POINTS),
    ]
    if frees:
        listed.append(promotion("ship", FreeShipping(reach=free_from), layer=Layer.SHIPPING))
    shipping = Shipping(fee=600, free_from=None if frees else free_from)
    made = festival({"A": PRICE}, listed, shipping=shipping)
    stated = statements(version(made))
    for language, steps in STEPS.items():
        places = [stated["promotions"].of(language).index(step) for step in steps]
        assert places == sorted(places)
    terms = promotion_terms(made, Wording(made))
    if frees:
        assert "Its threshold counts the goods after their reductions and before points." in said(terms[2], "en")
        assert "门槛按商品优惠后、积分抵扣前的金额计算。" in said(terms[2], "zh")
        threshold = read_english(terms[2].words[0].en).offs[0][0].amount
    else:
        found = re.search(rf"after all reductions and before points, come to ({MONEY})", stated["shipping"].en)
        same = re.search(rf"优惠后、积分抵扣前商品金额满 ({MONEY})", stated["shipping"].zh)
        assert found
        assert same
        threshold = fen(found[1])
        assert threshold == fen(same[1])
    reading = read_english(terms[1].words[0].en)
    assert reading == read_chinese(terms[1].words[0].zh)
    assert "it pays for goods only" in terms[1].words[-1].en
    # The combination that leaves least to pay: without the reduction, where that costs free shipping.
    both = sorted((left + (0 if left >= threshold else 600), left) for left in (PRICE * units - off, PRICE * units))
    assume(both[0][0] < both[1][0])
    goods_left = both[0][1]
    paid = min(goods_left * reading.share // 10_000, points * reading.price // reading.group, goods_left - 1)
    fee = 0 if goods_left >= threshold else 600
    order = bought(compile_rules(version(made)), units, Facts(now=START, points=points))
    assert (order.shipping, order.total) == (fee, goods_left - paid + fee)


@given(st.integers(100, 10_000), st.integers(2, 10), st.integers(1, 168), st.integers(0, 3))
def test_a_group_pays_and_may_have_what_the_words_say(price: int, size: int, hours: int, per_buyer: int) -> None:
    group_buy = GroupBuy(sku="G", price=price, size=size, fill_seconds=hours * 3_600, quota=30, per_buyer=per_buyer)
    made = definition([offer("A")], entries=[goods("A"), goods("G", 10_000)], coupons=[coupon("TIDE50", 1_000, 500)])
    made = msgspec.structs.replace(made, group_buys=(group_buy,), shipping=Shipping(fee=0, free_from=None))
    [terms] = group_buy_terms(made)
    english = re.match(
        rf"({MONEY}) each in a group of (\d+); all paid within (\d+) hours?; (\d+) units in all"
        r"(?:; (\d+) for each buyer)?",
        terms.words.en,
    )
    chinese = re.match(
        rf"(\d+) 人成团，每件 ({MONEY})；限时 (\d+) 小时内付齐；共 (\d+) 件(?:；每人限购 (\d+) 件)?", terms.words.zh
    )
    assert english
    assert chinese
    costs, places, within, quota, most = fen(english[1]), *(int(each or 0) for each in english.groups()[1:])
    assert (places, costs, within, quota, most) == (
        int(chinese[1]), fen(chinese[2]), *(int(each or 0) for each in chinese.groups()[2:]),
    )  # fmt: skip
    assert (places, within * 3_600, quota) == (group_buy.size, group_buy.fill_seconds, made.quotas()["G"])
    rules = compile_group_rules(version(made), compile_rules(version(made)))
    facts = Facts(buyer=UUID(int=7), now=START)
    for units in range(1, (most or 3) + 1):
        order = price_order(rules, Cart((CartLine("G", units),)), facts)
        assert order.total == costs * units
        assert [(use.amount, use.cap) for use in order.counters] == ([(units, most)] if most else [])
    with pytest.raises(Refusal):
        price_order(rules, Cart((CartLine("G", 1),), "TIDE50"), facts)
    if most:
        with pytest.raises(Refusal):
            price_order(rules, Cart((CartLine("G", most + 1),)), facts)


FLOORED = {"en": "may take off less than they state; the step of the price says by how much", "zh": "少于所注明的金额"}


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(*[st.sampled_from([0, 1, 3_000, PRICE - 1, PRICE]) | st.integers(3_000, PRICE)] * 2),
    st.integers(1, 1_000),
    OFFS.map(lambda off: 5 * off),
    OFFS,
    st.tuples(st.integers(1, 3), st.integers(0, 3)),
)
def test_where_floors_make_a_coupon_or_a_promotion_take_off_less_the_words_and_the_steps_say_so(
    floors: tuple[int, int], above: int, off: int, less: int, units: tuple[int, int]
) -> None:
    entries = [entry(sku, PRICE, floor=floor) for sku, floor in zip("AB", floors, strict=True)]
    made = festival(
        dict.fromkeys("AB", PRICE),
        [promotion("p", amount_off(PRICE, less))],
        entries=entries,
        coupons=[coupon("TIDE50", off + above, off)],
        shipping=Shipping(fee=0, free_from=None),
    )
    stated = statements(version(made))
    names = [each.name.en for each in entries if each.floor]
    assert ("floors" in stated) == bool(names)
    for name in names:
        assert name in stated["floors"].en
    rules = compile_rules(version(made))
    cart = Cart(tuple(CartLine(sku, count) for sku, count in zip("AB", units, strict=True) if count), "TIDE50")
    try:
        order = price_order(rules, cart, Facts(now=START))
    except Refusal:  # the coupon saves nothing, and is not used up
        cart = Cart(cart.lines)
        order = price_order(rules, cart, Facts(now=START))
    taken = {each.promotion: each.amount for each in order.reductions}
    coupon_said, _ = read_coupon(coupon_terms(made.coupons[0], made).words)
    stated_off = {"p": less, "coupon:TIDE50": off_of(coupon_said, PRICE * sum(units) - taken.get("p", 0))}
    trace = explain(rules, cart, Facts(now=START))
    for step, words in zip(order.steps, trace.steps, strict=True):
        if step.rule not in stated_off or not (lost := order.given_up(step.rule)):
            continue
        event(f"{step.rule} gives up")
        assert -step.amount + lost == stated_off[step.rule]
        for language, said_so in FLOORED.items():
            assert said_so in stated["floors"].of(language)
        amount = f"{lost // 100:,}.{lost % 100:02}"
        assert f"CN¥{amount} more could not be taken off: the goods are at their lowest price" in words.en
        assert f"另有 ¥{amount} 未能减免：商品已到最低售价" in words.zh
        assert all(line.payable == entries["AB".index(line.sku)].floor * line.quantity for line in order.lines)
    if not any(floors):
        assert taken == {name: stated_off[name] for name in taken}
