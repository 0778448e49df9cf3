"""Flash prices in slots: the engine against a plain reckoning, and what is said of what does not apply."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.offer.festivals import START, coupon, version
from tests.offer.pricing.sentences import read_flash_price
from tests.offer.promotions import BUYER, amount_off, cart_of, festival, priced, promotion, rules_of
from tests.offer.slots_made import flash, slot
from tidegate.offer.campaign.benefit_terms import Wording
from tidegate.offer.campaign.contracts import MemberPrice, PromotionLimits, Slot
from tidegate.offer.campaign.promotion_terms import promotion_terms
from tidegate.offer.pricing.book import Book
from tidegate.offer.pricing.contracts import Facts, NotApplied, RuleSet, Shortfall, StepKind
from tidegate.offer.pricing.errors import CouponNotApplicable
from tidegate.offer.pricing.rules import compile_rules, explain
from tidegate.offer.pricing.timetable import timetable
from tidegate.offer.pricing.words import SHORTFALLS

PRICES = {"A": 8_000, "B": 3_000}
MINUTE = timedelta(minutes=1)


def at(minute: float, **more: object) -> Facts:
    """The facts so many minutes after the start."""
    return Facts(buyer=BUYER, now=START + minute * MINUTE, **more)  # type: ignore[arg-type]


def book_of(rules: RuleSet) -> Book:
    assert rules.book is not None
    return rules.book


def why(rules: RuleSet, quantity: int, facts: Facts) -> NotApplied:
    """Why the flash price is not that of so many units of A."""
    [said] = [each for each in explain(rules, cart_of({"A": quantity}), facts).not_applied if "flash" in each.promotion]
    return said


@st.composite
def timetables(draw: st.DrawFn) -> tuple[Slot, ...]:
    """Slots of one product in any order, without overlap; some follow each other at once."""
    edges = sorted(draw(st.sets(st.integers(0, 200), min_size=2, max_size=12)))
    spans = [(start, end) for start, end in pairwise(edges) if draw(st.booleans())] or [(edges[0], edges[1])]
    slots = [
        slot(f"s{start}", start, end - start, draw(st.integers(1, 9)), draw(st.integers(0, 3))) for start, end in spans
    ]
    return tuple(draw(st.permutations(slots)))


@given(timetables(), st.integers(-5, 210), st.integers(1, 10), st.integers(0, 9), st.booleans())
def test_the_engine_agrees_with_a_plain_reckoning(
    slots: tuple[Slot, ...], minute: int, quantity: int, used: int, carry_over: bool
) -> None:
    rules = rules_of(PRICES, [flash(*slots, carry_over=carry_over), promotion("cut", amount_off(16_000, 1_500))])
    now = START + minute * MINUTE
    in_order = sorted(slots, key=lambda each: each.starts_at)
    on = [each for each in in_order if each.starts_at <= now < each.ends_at]
    left: dict[str, int] = {}
    units = PRICES["A"]
    if on:
        [current] = on
        before = sum(each.units for each in in_order if each.starts_at <= current.starts_at)
        allowed = before if carry_over else current.units
        used = min(used, allowed)
        total = sum(each.units for each in slots) if carry_over else current.units
        key = "double-11/slot:flash" if carry_over else f"double-11/slot:flash/{current.name}"
        left = {key: total - used}
        most = min(allowed - used, current.per_account or allowed)
        units = 5_000 if quantity <= most else PRICES["A"]
    order = priced(rules, {"A": quantity, "B": 1}, at(minute, left=left))
    line = order.lines[0]
    assert (line.sku, line.unit_price) == ("A", units)
    goods_total = units * quantity + 3_000
    assert order.total == goods_total - (1_500 if goods_total >= 16_000 else 0)
    assert order.price_ends_at == (on[0].ends_at if units != PRICES["A"] else None)
    assert [step.rule for step in order.steps if step.kind is StepKind.FLASH_PRICE] == (
        [f"flash/{on[0].name}"] if units != PRICES["A"] else []
    )
    uses = {use.key: (use.amount, use.cap) for use in order.counters}
    assert bool(uses) == (units != PRICES["A"])
    assert all(amount == quantity and quantity <= cap for amount, cap in uses.values())


@given(timetables(), st.integers(-5, 210), st.booleans())
def test_a_slot_that_is_not_on_is_not_looked_at(slots: tuple[Slot, ...], minute: int, carry_over: bool) -> None:
    book = book_of(rules_of(PRICES, [flash(*slots, carry_over=carry_over)]))
    now = START + minute * MINUTE
    found = book.prices_of("A", book.gates.at(now))
    assert [rule.slot for _, rule in found] == [each for each in slots if each.starts_at <= now < each.ends_at]


def test_what_does_not_apply_says_why() -> None:
    rules = rules_of(PRICES, [flash(slot("one", 0, 60, 5, 3), slot("two", 240, 60, 5), zone="Asia/Shanghai")])
    gone = {"double-11/slot:flash/one": 0}
    few = {"double-11/slot:flash/one": 2}
    mine = {f"double-11/slot:flash/one:{BUYER.hex}": 0}
    for minute, quantity, left, reason, zh, en in (
        (-1, 1, {}, Shortfall.NOT_YET, "下一场：11月11日 08:00 场", "The next slot begins at 11 Nov 08:00"),
        (60, 1, {}, Shortfall.NOT_YET, "下一场：11月11日 12:00 场", "The next slot begins at 11 Nov 12:00"),
        (300, 1, {}, Shortfall.OVER, "各场次均已结束", "All of its slots are over"),
        (1, 1, gone, Shortfall.EXHAUSTED, "本场已售完；下一场", "This slot's units are gone; the next slot begins at"),
        (1, 3, few, Shortfall.EXHAUSTED, "本场秒杀价只剩 2 件", "Only 2 are left in this slot"),
        (1, 4, {}, Shortfall.EXHAUSTED, "本场每人限购 3 件", "One account may have 3 in this slot"),
        (
            1,
            1,
            mine,
            Shortfall.EXHAUSTED,
            "本场每人限购 3 件，已用完",
            "One account may have 3 in this slot, and has had it",
        ),
        (250, 6, {}, Shortfall.EXHAUSTED, "本场秒杀价只剩 5 件", "Only 5 are left in this slot"),
    ):
        said = why(rules, quantity, at(minute, left=left))
        assert (said.reason, said.words.zh.startswith(zh), said.words.en.startswith(en)) == (reason, True, True), said
    nobody = why(rules, 1, Facts())
    assert (nobody.reason, nobody.facts) == (Shortfall.FACT_MISSING, ("now",))
    on = explain(rules, cart_of({"A": 1}), at(1))
    assert not [each for each in on.not_applied if "flash" in each.promotion]
    assert "优惠 flash（11月11日 08:00 场）" in on.steps[1].zh
    assert "Promotion flash (11 Nov 08:00)" in on.steps[1].en


def test_the_lower_of_a_member_price_and_a_slot_stands() -> None:
    member = promotion("m", MemberPrice(prices=(("A", 4_500),)), tiers=("gold",))
    rules = rules_of(PRICES, [flash(slot("one", 0, 60, 5)), member])
    assert priced(rules, {"A": 1}, at(1)).lines[0].unit_price == 5_000
    assert priced(rules, {"A": 1}, at(1, tier="gold")).lines[0].unit_price == 4_500
    assert priced(rules, {"A": 1}, at(90, tier="gold")).lines[0].unit_price == 4_500
    said = why(rules, 1, at(1, tier="gold"))
    assert said.reason is Shortfall.LOWER_PRICE


@pytest.mark.parametrize("takes_coupons", [False, True])
def test_coupons_count_goods_at_a_flash_price_only_where_it_says_so(takes_coupons: bool) -> None:
    shown = coupon("OFF", 4_000, 1_000)
    of = [flash(slot("one", 0, 60, 5), coupons=takes_coupons)]
    rules = rules_of(PRICES, of, coupons=[shown])
    assert priced(rules, {"A": 1}, at(90), "OFF").total == 7_000
    if takes_coupons:
        assert priced(rules, {"A": 1}, at(1), "OFF").total == 4_000
    else:
        with pytest.raises(CouponNotApplicable):
            priced(rules, {"A": 1}, at(1), "OFF")
        # Of goods at other prices the coupon counts all it did.
        assert priced(rules, {"A": 1, "B": 2}, at(1), "OFF").total == 10_000


def test_what_goes_with_nothing_is_left_out_of_the_others() -> None:
    cut = promotion("cut", amount_off(6_000, 500))
    alone = rules_of(PRICES, [flash(slot("one", 0, 60, 5), stacks_with=()), cut])
    assert priced(alone, {"A": 1, "B": 2}, at(1)).total == 10_500
    assert priced(alone, {"A": 1, "B": 1}, at(1)).total == 8_000
    [said] = explain(alone, cart_of({"A": 1}), at(1)).not_applied
    assert (said.promotion, said.reason) == ("cut", Shortfall.OWN_PRICE)
    assert priced(alone, {"A": 1}, at(90)).total == 7_500


def test_a_budget_and_limits_of_the_promotion_go_through_all_slots() -> None:
    rules = rules_of(PRICES, [flash(slot("one", 0, 60, 5), slot("two", 60, 60, 5))])
    one, two = (priced(rules, {"A": 1}, at(minute)).counters for minute in (1, 61))
    assert [use.key for use in (*one, *two)] == ["double-11/slot:flash/one", "double-11/slot:flash/two"]


def test_a_promotion_whose_budget_is_used_up_says_so_and_not_that_the_slot_is() -> None:
    rules = rules_of(PRICES, [flash(slot("one", 0, 60, 5, 2), limits=PromotionLimits(budget=100_000))])
    said = why(rules, 1, at(1, left={"double-11/budget:flash": 10}))
    assert (said.reason, said.words) == (Shortfall.EXHAUSTED, SHORTFALLS[Shortfall.EXHAUSTED])


def test_the_timetable_tells_what_is_on_and_what_is_left() -> None:
    slots = (slot("two", 60, 30, 4), slot("one", 0, 30, 6, 2), slot("three", 120, 30, 2))
    rules = rules_of(PRICES, [flash(*slots, carry_over=True)])
    left = {"double-11/slot:flash": 12 - 5}
    for minute, states, units in (
        (-1, ["next", "later", "later"], [6, 4, 2]),
        (1, ["on", "next", "later"], [1, 4, 2]),
        (45, ["over", "next", "later"], [0, 4, 2]),
        (61, ["over", "on", "next"], [0, 5, 2]),
        (121, ["over", "over", "on"], [0, 0, 7]),
        (200, ["over", "over", "over"], [0, 0, 0]),
    ):
        views = timetable(rules.book, "A", START + minute * MINUTE, left)
        assert [view.name for view in views] == ["one", "two", "three"]
        assert [(str(view.state), view.left) for view in views] == list(zip(states, units, strict=True)), minute
    [gone, *_] = timetable(rules.book, "A", START + MINUTE, {"double-11/slot:flash": 6})
    assert (str(gone.state), gone.left) == ("gone", 0)
    assert timetable(rules.book, "B", START, {}) == ()


@given(timetables(), st.integers(100, 7_900), st.booleans(), st.booleans())
def test_each_slot_costs_what_the_words_say(
    slots: tuple[Slot, ...], price: int, carry_over: bool, takes_coupons: bool
) -> None:
    made = flash(*slots, price=price, carry_over=carry_over, coupons=takes_coupons)
    of = festival(PRICES, [made], coupons=[coupon("OFF", 50, 10)])
    [terms] = promotion_terms(of, Wording(of))
    chinese, reading = read_flash_price(terms.words[0], terms.listed)
    assert chinese == reading
    rules = compile_rules(version(of))
    units = 0
    for said in reading.slots:
        units = units + said.units if reading.carries else said.units
        most = min(units, said.per_account or units)
        second = timedelta(seconds=1)
        for now, is_on in ((said.starts_at, True), (said.ends_at - second, True), (said.ends_at, False)):
            if not is_on and any(other.starts_at == now for other in reading.slots):
                continue
            for quantity in (1, most, most + 1):
                order = priced(rules, {"A": quantity}, Facts(buyer=BUYER, now=now))
                assert order.total == quantity * (reading.price if is_on and quantity <= most else PRICES["A"])
        if reading.coupons:
            assert priced(rules, {"A": 1}, Facts(buyer=BUYER, now=said.starts_at), "OFF").total == price - 10
        else:
            with pytest.raises(CouponNotApplicable):
                priced(rules, {"A": 1}, Facts(buyer=BUYER, now=said.starts_at), "OFF")
