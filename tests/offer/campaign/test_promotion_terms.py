"""The published words of promotions say the figures of the definition: all of them, and no others."""

import re
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given

from tests.offer.campaign.promotions_made import SKUS, festival, in_company, promotions
from tests.offer.festivals import START, version
from tidegate.offer.campaign.benefit_terms import NAMED_MAX, Wording
from tidegate.offer.campaign.contracts import (
    AmountOff,
    Benefit,
    Bundle,
    FreeShipping,
    Gift,
    Measure,
    MemberPrice,
    NForM,
    NthPiece,
    PercentOff,
    PointsOff,
    Promotion,
    Words,
)
from tidegate.offer.campaign.promotion_terms import PromotionTerms, promotion_terms
from tidegate.offer.campaign.terms import published_rules

_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) GMT[+-]\d\d:\d\d")
_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")


def terms_of(promotion: Promotion) -> PromotionTerms:
    made = festival((promotion,))
    return promotion_terms(made, Wording(made))[0]


def figures(text: str) -> list[Decimal]:
    """Every figure that stands in a text, times aside."""
    return [Decimal(found.replace(",", "")) for found in _FIGURE.findall(_TIME.sub("", text))]


def money(amount: int) -> Decimal:
    return Decimal(amount) / 100


def share(basis_points: int) -> Decimal:
    return Decimal(basis_points) / 100


def reach(amount: int, measure: Measure) -> Decimal:
    return money(amount) if measure is Measure.AMOUNT else Decimal(amount)


def stated(benefit: Benefit) -> list[Decimal]:
    """The figures of a benefit, reckoned here from its definition alone."""
    match benefit:
        case AmountOff() | PercentOff():
            off = money if isinstance(benefit, AmountOff) else share
            steps = [each for step in benefit.steps for each in (reach(step.reach, benefit.measure), off(step.off))]
            found = [*steps, money(benefit.cap)] if benefit.cap else steps
        case NForM():
            found = [Decimal(each) for each in (benefit.take, benefit.pay, benefit.take - benefit.pay)]
        case NthPiece():
            found = [Decimal(benefit.nth), share(benefit.off)]
        case Bundle():
            found = [*(Decimal(part.quantity) for part in benefit.parts), money(benefit.price)]
        case MemberPrice():
            prices = [money(price) for _, price in benefit.prices]
            found = prices if len(prices) <= NAMED_MAX else [Decimal(len(prices))]
        case Gift():
            found = [reach(benefit.reach, benefit.measure), Decimal(benefit.quantity)]
        case FreeShipping():
            found = [reach(benefit.reach, benefit.measure)] if benefit.reach else []
        case PointsOff():
            found = [Decimal(benefit.points * 100), Decimal(1), share(benefit.share)]
    return found


def expected(promotion: Promotion) -> list[Decimal]:
    """Every figure that the words of a promotion state."""
    limits, goods = promotion.limits, promotion.goods
    counts = (limits.per_order, limits.per_account, limits.per_period, limits.period_days, limits.total)
    listed = [Decimal(len(skus)) for skus in (goods.skus, goods.but) if len(skus) > NAMED_MAX]
    budget = [money(limits.budget)] if limits.budget else []
    return sorted([*stated(promotion.benefit), *listed, *(Decimal(count) for count in counts if count), *budget])


def folds(promotion: Promotion) -> list[Decimal]:
    """What Chinese words state beside the percentage: 20 % off is 8 折."""
    benefit = promotion.benefit
    return [Decimal(10_000 - step.off) / 1_000 for step in benefit.steps] if isinstance(benefit, PercentOff) else []


@given(promotions())
def test_the_figures_of_the_words_are_the_figures_of_the_definition(promotion: Promotion) -> None:
    words = terms_of(promotion).words
    assert sorted(figures("".join(each.en for each in words))) == expected(promotion)
    chinese = sorted(figures("".join(each.zh for each in words)))
    assert chinese == sorted([*expected(promotion), *folds(promotion)])


@given(promotions())
def test_the_times_of_the_words_are_the_times_of_the_definition(promotion: Promotion) -> None:
    times = [each for each in (promotion.starts_at, promotion.ends_at) if each is not None]
    for language in ("zh", "en"):
        text = "".join(each.of(language) for each in terms_of(promotion).words)
        assert [datetime.fromisoformat(found).replace(tzinfo=UTC) for found in _TIME.findall(text)] == times


@given(promotions())
def test_whoever_and_whatever_is_named_is_named_in_the_words(promotion: Promotion) -> None:
    terms = terms_of(promotion)
    benefit, goods = promotion.benefit, promotion.goods
    skus = {*goods.skus, *goods.but}
    if isinstance(benefit, MemberPrice):
        skus.update(sku for sku, _ in benefit.prices)
    if isinstance(benefit, Bundle):
        skus.update(part.sku for part in benefit.parts)
    names = {*promotion.tiers, *promotion.segments, *goods.categories, *goods.brands, *goods.shops, promotion.coupon}
    condition = promotion.condition_words or Words("", "")
    for language in ("zh", "en"):
        text = " ".join(each.of(language) for each in (*terms.words, *terms.listed))
        goods_word = "商品" if language == "zh" else "Goods "
        assert all(f"{goods_word}{sku}" in text for sku in skus)
        assert all(name in text for name in names)
        assert promotion.condition in text
        assert condition.of(language) in text


@given(in_company())
def test_what_goes_together_with_what_is_said_by_its_label(made: tuple[Promotion, ...]) -> None:
    first, second, third = promotion_terms(festival(made), Wording(festival(made)))
    said = [each.en for each in first.words]
    company = made[0].stacks_with
    where = "in the same order" if isinstance(made[0].benefit, PointsOff) else "on the same goods"
    if made[0].group:
        assert f"Not {where} as: {second.label.en}." in said
    if company is None:
        assert "Goes together with other promotions, unless they say otherwise." in said
    elif company:
        assert f"{where.capitalize()} only together with: {third.label.en}." in said
    else:
        assert f"{where.capitalize()} with no other promotion." in said
    assert (company is not None) == (f"{where.capitalize()} no coupon takes anything off." in said)


@given(promotions())
def test_who_bears_the_cost_is_for_staff_only(promotion: Promotion) -> None:
    words = terms_of(promotion).words
    assert not any(name in f"{each.zh}{each.en}" for each in words for name in ("platform", "channel", "平台"))


def test_published_rules_hold_them_with_the_order_in_which_they_apply() -> None:
    made = festival(
        (
            Promotion(
                id="cross-shop",
                label=Words("跨店", "Across shops"),
                benefit=AmountOff(steps=(), every=True),
                ends_at=START,
            ),
        )
    )
    rules = published_rules(version(made))
    assert [each.id for each in rules.promotions] == ["cross-shop"]
    assert any("across shops and by coupons, shipping, points" in each.en for each in rules.statements)
    assert len(SKUS) == rules.offers_total
